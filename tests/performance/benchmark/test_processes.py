"""Tasks that a process of their own does."""

import os

import pytest

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.values import Config
from symmflow_jax.performance.benchmark.processes import in_own_process


def _tasks(experiment: Experiment, batch_size: int):
    """Tasks that tell, by failing, whose process they are in and how often they were made."""
    made = []

    def tell():
        made.append(batch_size)
        raise ValueError(f"process {os.getpid()}, {experiment.seed}, {made}")

    return {"tell": tell}


def test_one_other_process_makes_the_tasks_once():
    told = []
    with in_own_process(_tasks, Experiment(Config(seed=7)), 8, ("tell",)) as tasks:
        for _ in range(2):
            with pytest.raises(ValueError, match="process") as error:
                tasks["tell"]()
            told.append(str(error.value).split(", ", 1))
    assert told[0][0] == told[1][0] != f"process {os.getpid()}"
    assert [state for _, state in told] == ["7, [8]", "7, [8, 8]"]
