"""Checkpoints of buckets that Orbax does not know."""

import jax
import numpy as np
import pytest

from symmflow_jax.runs.bucket import staged_manager
from symmflow_jax.runs.bucket.staged_manager import MARKER
from symmflow_jax.runs.checkpointing import layout, opening, restoring, saving
from symmflow_jax.runtime.errors import CheckpointError
from symmflow_jax.runtime.storage.bucket_path import BucketPath
from symmflow_jax.runtime.storage.faults import StorageError
from symmflow_jax.runtime.storage.place import as_path
from symmflow_jax.training.state import TrainState


@pytest.fixture
def workdir(bucket_servers, tmp_path):
    """The folder of a run in a bucket of S3."""
    return as_path(f"{bucket_servers('s3').scheme}://symmflow-tests/{tmp_path.name}")


def _state(step):
    weights = {"kernel": np.full((3,), step, np.float32)}
    return TrainState(np.asarray(step), weights, weights, {"count": np.asarray(step)})


def _save(manager, step, score=None):
    saving.save(manager, _state(step), {"config": {}, "schema": {}}, score)
    saving.finish(manager)


def test_the_last_and_the_best_are_kept_over_commands(workdir):
    with opening.open_manager(workdir, keep=1) as manager:
        _save(manager, 1, score=0.9)
        _save(manager, 2, score=0.1)
        assert layout.complete_steps(workdir) == [1, 2]
    with opening.open_manager(workdir, keep=1) as manager:
        assert manager.latest_step() == 2 and manager.best_step() == 1
        _save(manager, 3)
    assert layout.complete_steps(workdir) == [1, 3]
    with opening.open_to_read(workdir) as manager:
        assert opening.score_of(manager, 1) == 0.9 and opening.score_of(manager, 3) is None
        shapes = jax.eval_shape(lambda: _state(0))
        state = restoring.restore_training(manager, shapes)
        weights = restoring.restore_ema_params(manager, 1, shapes.params)
    assert int(state.step) == 3 and weights["kernel"].tolist() == [1.0, 1.0, 1.0]


def test_one_without_marker_is_removed_by_the_next_that_writes(workdir):
    with opening.open_manager(workdir, keep=2) as manager:
        _save(manager, 1)
        _save(manager, 2)
    folder = workdir / "checkpoints"
    (folder / "2" / MARKER).unlink()
    with opening.open_to_read(workdir) as manager:
        assert manager.latest_step() == 1
    assert (folder / "2").is_dir()
    with opening.open_manager(workdir, keep=2):
        assert not (folder / "2").exists()


def test_a_copy_that_breaks_off_is_told_with_what_is_kept(workdir, monkeypatch):
    with opening.open_manager(workdir, keep=2) as manager:
        _save(manager, 1)

        def refuse(self, path):
            raise StorageError(f"{self}: the server does not answer")

        monkeypatch.setattr(BucketPath, "upload", refuse)
        message = "could not be written; step 1 is complete. s3://.*: the server does not answer"
        with pytest.raises(CheckpointError, match=message):
            _save(manager, 2)
    assert layout.latest_step(workdir) == 1


def test_several_processes_are_refused(workdir, monkeypatch):
    monkeypatch.setattr(jax, "process_count", lambda: 4)
    with pytest.raises(ValueError, match=r"4 processes cannot save together.*Give a --workdir in"):
        opening.open_manager(workdir, keep=1)


def test_the_marker_goes_first(workdir, monkeypatch):
    removed = []
    monkeypatch.setattr(BucketPath, "unlink", lambda self, missing_ok: removed.append(self.name))
    monkeypatch.setattr(BucketPath, "rmtree", lambda self, missing_ok: removed.append(self.name))
    staged_manager.remove(workdir / "checkpoints" / "2")
    assert removed == [MARKER, "2"]
