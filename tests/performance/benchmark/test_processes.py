"""Tasks that a process of their own does."""

import os

import pytest

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.values import Config
from symmflow_jax.performance.benchmark.processes import in_own_process
from symmflow_jax.runtime import compilation


def _tasks(experiment: Experiment, batch_size: int):
    """Tasks that tell, by failing, whose process they are in and how often they were made."""
    made = []

    def tell():
        made.append(batch_size)
        raise ValueError(f"process {os.getpid()}, {experiment.seed}, {made}")

    return {"tell": tell}


def _kernels(experiment: Experiment, batch_size: int):
    def tell():
        raise ValueError(os.environ["XLA_FLAGS"])

    return {"tell": tell}


@pytest.mark.parametrize(("batch_size", "older"), [(16, False), (64, True)])
def test_the_kernels_are_those_of_the_batches_that_are_timed(monkeypatch, batch_size, older):
    """The command has chosen kernels for the config's own batches."""
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=false")
    compilation.choose_fast_cpu_kernels(16 if older else 64)
    with (
        in_own_process(_kernels, Experiment(Config()), batch_size, ("tell",)) as tasks,
        pytest.raises(ValueError, match="fast_math=false") as told,
    ):
        tasks["tell"]()
    assert ("ynn_fusion_type" in str(told.value)) == older


def test_one_other_process_makes_the_tasks_once():
    told = []
    with in_own_process(_tasks, Experiment(Config(seed=7)), 8, ("tell",)) as tasks:
        for _ in range(2):
            with pytest.raises(ValueError, match="process") as error:
                tasks["tell"]()
            told.append(str(error.value).split(", ", 1))
    assert told[0][0] == told[1][0] != f"process {os.getpid()}"
    assert [state for _, state in told] == ["7, [8]", "7, [8, 8]"]
