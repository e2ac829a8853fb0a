"""The command that evaluates."""

import types

import pytest

from symmflow_jax.commands import evaluation
from symmflow_jax.commands.flags import integration
from symmflow_jax.runtime.errors import CheckpointError


def _model(experiment):
    return types.SimpleNamespace(
        experiment=experiment, weights="weights", step=7, train_seconds=60.0, native_scale=0.5
    )


def test_it_measures_as_the_command_says(
    called, flag_values, tiny_experiment, tmp_path, monkeypatch
):
    report = called("evaluation.report.report:report_evaluation", [])
    monkeypatch.setattr(integration, "load", lambda *_: _model(tiny_experiment()))
    flag_values(solver="heun", output=str(tmp_path / "scores"))
    evaluation.EVALUATE.run(tiny_experiment(), tmp_path / "run")
    evaluator, evaluated, workdir, output = report.arguments
    assert evaluator.experiment.eval.solvers == ("heun",)
    assert (evaluated.train_step, evaluated.train_seconds, evaluated.native_scale) == (7, 60.0, 0.5)
    assert (workdir, output) == (tmp_path / "run", tmp_path / "scores")


def test_a_folder_without_a_model_is_named(flag_values, tiny_experiment, tmp_path):
    with pytest.raises(CheckpointError, match="holds no checkpoints; train first"):
        evaluation.EVALUATE.run(tiny_experiment(), tmp_path / "run")
