"""The command that trains."""

import pytest

from symmflow_jax.commands import training
from symmflow_jax.runs.resumption import Resume


@pytest.mark.parametrize("value", [resume.value for resume in Resume])
def test_every_way_to_resume_has_a_flag(value, called, flag_values, tmp_path):
    train = called("train:train_and_evaluate")
    flag_values(resume=value)
    training.TRAIN.run("experiment", tmp_path)
    assert train.arguments == ("experiment", tmp_path, Resume(value))


def test_it_may_run_in_several_processes_and_be_left():
    assert training.TRAIN.several and training.TRAIN.leaves
