"""Runs of studies: trained once, and told apart from others."""

import json

import jax
import numpy as np
import pytest

from symmflow_jax.studies import runs

pytestmark = pytest.mark.usefixtures("standard_dtype_promotion")

_TINY = {
    "data.train_size": 16,
    "data.eval_size": 8,
    "network.channels": 4,
    "network.num_res_blocks": 1,
    "train.batch_size": 8,
    "train.num_epochs": 1.0,
    "train.warmup_epochs": 0.5,
    "eval.batch_size": 8,
    "eval.num_steps": (1,),
    "eval.generation_steps": 1,
    "eval.num_generated": 8,
}


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    return tmp_path_factory.mktemp("runs") / "spirals"


def test_a_run_is_trained_once(workdir, monkeypatch):
    config = runs.config_of("configs/spirals.py", _TINY)
    first = runs.finished_run(config, workdir)
    assert first.model.step == 2
    assert first.measurements == json.loads((workdir / "metrics.json").read_text())
    accuracies = [m for m in first.measurements if m["metric"] == "accuracy"]
    assert accuracies and all(m["num_steps"] == 1 and m["train_step"] == 2 for m in accuracies)

    def refuse(*arguments):
        raise AssertionError("A finished run was trained again.")

    monkeypatch.setattr(runs, "train_and_evaluate", refuse)
    again = runs.finished_run(config, workdir)
    assert again.measurements == first.measurements
    points = np.zeros((3, 2), np.float32)
    key = jax.random.key(0)
    np.testing.assert_array_equal(
        again.model.recognize(points, key).labels, first.model.recognize(points, key).labels
    )


def test_a_run_of_another_config_is_refused(workdir):
    config = runs.config_of("configs/spirals.py", _TINY | {"train.image_weight": 0.25})
    with pytest.raises(ValueError, match=r"config\.train\.image_weight is 0\.25, was 0\.5"):
        runs.finished_run(config, workdir)


def test_changes_reach_the_config_and_only_them():
    plain = runs.config_of("configs/spirals.py", {})
    changed = runs.config_of("configs/spirals.py", {"seed": 3, "train.num_epochs": 2})
    assert plain.data.source == "spirals" and plain.seed == 0
    assert changed.seed == 3 and changed.train.num_epochs == 2.0
    assert changed.network == plain.network


@pytest.mark.parametrize(
    ("file", "changes", "message"),
    [
        ("configs/none.py", {}, r"no configs/none\.py in .*holds configs/"),
        ("configs/spirals.py", {"train.batchsize": 3}, r"Did you mean 'batch_size'\?"),
        ("configs/spirals.py", {"train.batch_size": "3"}, r"batch_size is '3'; .* type int"),
        ("configs/spirals.py", {"network.name": "cnn"}, r"network\.name is 'cnn'; choose one of"),
    ],
)
def test_mistakes_are_named(file, changes, message):
    with pytest.raises(ValueError, match=message):
        runs.config_of(file, changes)


def test_tables_give_means_and_deviations():
    rows = {"tied": {1: [1.0, 3.0], 50: [0.5]}, "free": {50: [0.25, 0.25, 0.25]}}
    assert runs.table_over_seeds("clock", rows, (1, 50)).splitlines() == [
        "| clock | 1 | 50 |",
        "| --- | --- | --- |",
        "| tied | 2.0000 ± 1.4142 | 0.5000 |",
        "| free |  | 0.2500 ± 0.0000 |",
    ]
