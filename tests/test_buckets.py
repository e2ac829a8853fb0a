"""Runs in buckets: they end as on a disk, also after a signal and after the loss of the server."""

import os
import signal
import time

import jax
import numpy as np
import pytest
from PIL import Image

import symmflow_jax
from symmflow_jax.config import command_line
from symmflow_jax.evaluation.evaluator import EvaluatedWeights, evaluator_of
from symmflow_jax.evaluation.report.place import check_place
from symmflow_jax.evaluation.report.report import report_evaluation
from symmflow_jax.inference.files.segmentation import segment_files
from symmflow_jax.runs.bucket import lease
from symmflow_jax.runs.checkpointing import layout
from symmflow_jax.runs.origins import origin
from symmflow_jax.runtime.errors import CheckpointError
from symmflow_jax.runtime.progress import Progress
from symmflow_jax.runtime.signals import Interrupted
from symmflow_jax.runtime.storage import faults
from symmflow_jax.runtime.storage.place import as_path
from symmflow_jax.train import train_and_evaluate

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]

_FILES = ("history.jsonl", "metrics.json", "config.json", "data.json")


@pytest.fixture(scope="module")
def experiment(tiny_experiment):
    """A function that makes the run; its parts are made anew, as by a command."""
    values = {"train.num_epochs": 1.0, "train.eval_every_steps": 4, "eval.metrics": ("objective",)}
    return lambda **more: tiny_experiment(**values, **more)


@pytest.fixture(scope="module")
def on_disk(experiment, tmp_path_factory):
    """What the run leaves on a disk."""
    workdir = tmp_path_factory.mktemp("on_disk") / "run"
    with jax.numpy_dtype_promotion("standard"):  # As in `standard_dtype_promotion`.
        train_and_evaluate(experiment(), workdir)
    return _contents(workdir)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Leases are seen at once, since one process after the other writes."""
    monkeypatch.setattr(lease, "_SETTLING", 0.0)


def _contents(workdir):
    """Weights and files of a finished run."""
    model = symmflow_jax.load(workdir)
    leaves = jax.tree.leaves_with_path(jax.device_get(model.weights))
    found = {jax.tree_util.keystr(key): np.asarray(leaf).tobytes() for key, leaf in leaves}
    return found | {name: (workdir / name).read_bytes() for name in _FILES}


def _at(monkeypatch, step, act):
    """Calls a function once, when a step is logged."""
    advance = Progress.advance

    def advance_and_act(self, now):
        if now == step:
            monkeypatch.setattr(Progress, "advance", advance)
            act()
        return advance(self, now)

    monkeypatch.setattr(Progress, "advance", advance_and_act)


def test_a_run_in_a_bucket_is_that_on_a_disk(bucket, experiment, on_disk, monkeypatch, tmp_path):
    workdir = as_path(bucket) / "run"
    _at(monkeypatch, 3, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Interrupted) as stopped:
        train_and_evaluate(experiment(), workdir)
    assert stopped.value.code == 128 + signal.SIGTERM
    assert layout.latest_step(workdir) == 4
    assert len((workdir / "history.jsonl").read_text().splitlines()) == 4
    assert not (workdir / lease.NAME).exists()

    train_and_evaluate(experiment(), workdir)
    assert _contents(workdir) == on_disk
    assert layout.complete_steps(workdir) == [4, 6, 8]
    names = {path.name for path in workdir.glob("*")}
    assert names >= {"report.md", "versions.json", "loss.png", "pictures", "checkpoints"}
    assert lease.NAME not in names and not any("partial" in name for name in names)
    assert len([name for name in names if name.startswith("events.out")]) == 2

    before = (workdir / "metrics.json").read_bytes()
    model = symmflow_jax.load(str(workdir))
    output = as_path(bucket) / "report"
    check_place(output, workdir, model.experiment)
    evaluated = EvaluatedWeights.of(model)
    report_evaluation(evaluator_of(model.experiment, output), evaluated, workdir, output)
    assert (output / "metrics.json").read_bytes() == before
    assert b"PNG" in (output / "loss.png").read_bytes()[:8]

    begun = experiment(**{"train.init_from": str(workdir)}).train.init_from
    params = origin.read_params(origin.open_origin("train.init_from", begun))
    jax.tree.map(np.testing.assert_array_equal, params, jax.device_get(model.weights.network))
    with pytest.raises(ValueError, match=r"train.init_from is '.*/none', where there is no run"):
        origin.open_origin("train.init_from", f"{bucket}/none")

    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "black.png")
    options = {"seed": 0, "num_steps": 1, "ensemble_size": 1}
    (mask,) = segment_files(model, str(tmp_path / "black.png"), workdir / "segment", **options)
    assert str(mask) == f"{workdir}/segment/black.png"
    (same,) = segment_files(model, str(tmp_path / "black.png"), tmp_path / "segment", **options)
    assert mask.read_bytes() == same.read_bytes()
    with pytest.raises(ValueError, match=r"black.png exists already.*Give --overwrite"):
        segment_files(model, str(tmp_path / "black.png"), workdir / "segment", **options)

    # A checkpoint without its marker is none.
    (workdir / "checkpoints/8/commit_success.txt").unlink()
    assert layout.latest_step(workdir) == 6


def test_nothing_is_lost_with_the_server(
    bucket_servers, experiment, on_disk, monkeypatch, tmp_path
):
    server = bucket_servers("gs")
    workdir = as_path(f"gs://symmflow-tests/{tmp_path.name}/run")

    def stop_server():
        while layout.latest_step(workdir) != 4:  # Its save goes on beside the training.
            time.sleep(0.1)
        server.stop()

    _at(monkeypatch, 5, stop_server)
    with pytest.raises((faults.StorageError, CheckpointError)) as lost:
        train_and_evaluate(experiment(), workdir)
    text = command_line._explained(lost.value)
    assert text.startswith("Error: ") and "\n" not in text
    assert "the server does not answer" in text and "gs://symmflow-tests/" in text

    server.start()
    assert layout.latest_step(workdir) == 4
    faults._gone.clear()
    train_and_evaluate(experiment(), workdir)
    assert _contents(workdir) == on_disk

    train_and_evaluate(experiment(), workdir)
    assert _contents(workdir) == on_disk
