"""Checkpoints: what is saved is restored, kept as long as it should be, and explained."""

import asyncio
import json
import os
import shutil

import jax
import numpy as np
import pytest

from symmflow_jax.runs import checkpoints
from symmflow_jax.runtime.errors import CheckpointError
from symmflow_jax.semantics.labels import consecutive
from symmflow_jax.training.state import TrainState

_SCHEMA = json.loads(json.dumps(consecutive(("sky", "road")).to_json()))


def _state(step: int) -> TrainState:
    return TrainState(
        step=np.asarray(step, np.int32),
        params={"dense": {"kernel": np.full((2, 3), 1.0 * step, np.float32)}},
        ema_params={"dense": {"kernel": np.full((2, 3), 0.5 * step, np.float32)}},
        opt_state=({"mu": np.arange(3, dtype=np.float32) + step},),
    )


def _shapes(state: TrainState) -> TrainState:
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), state)


def _description(step: int) -> dict:
    return {"config": {"seed": step}, "schema": _SCHEMA}


def _assert_equal(first, second):
    assert jax.tree.structure(first) == jax.tree.structure(second)
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype


@pytest.fixture
def run(tmp_path):
    """A folder with checkpoints of the steps 1 to 4, the second of which is best; two are kept."""
    with checkpoints.open_manager(tmp_path, keep=2) as manager:
        for step, score in ((1, 0.2), (2, 0.9), (3, 0.4), (4, None)):
            checkpoints.save(manager, _state(step), _description(step), score)
            checkpoints.finish(manager)
    return tmp_path


def test_what_was_saved_is_restored(run):
    with checkpoints.open_manager(run, keep=2) as manager:
        restored = checkpoints.restore_training(manager, _shapes(_state(0)))
    _assert_equal(restored, _state(4))


def test_the_last_ones_and_the_best_are_kept(run):
    with checkpoints.open_to_read(run) as manager:
        assert sorted(manager.all_steps()) == [2, 3, 4]
        assert checkpoints.choose_step(manager, "latest") == 4
        assert checkpoints.choose_step(manager, "best") == 2


def test_a_score_that_comes_late_counts_like_others(run):
    with checkpoints.open_to_read(run) as manager:
        assert checkpoints.score_of(manager, 3) == 0.4
        assert checkpoints.score_of(manager, 4) is None
    checkpoints.add_score(run, 4, 0.95)
    with checkpoints.open_manager(run, keep=1) as manager:
        assert checkpoints.score_of(manager, 4) == 0.95
        checkpoints.save(manager, _state(5), _description(5), None)
        checkpoints.finish(manager)
        # The former best one is no longer kept, and this one is.
        assert sorted(manager.all_steps()) == [4, 5]
        assert checkpoints.choose_step(manager, "best") == 4
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["4", "5"]


@pytest.mark.parametrize("step", [2, 3])
def test_averages_and_descriptions_are_read_by_themselves(run, step):
    with checkpoints.open_to_read(run) as manager:
        assert checkpoints.restore_description(manager, step) == _description(step)
        shapes = _shapes(_state(0)).ema_params
        found = checkpoints.restore_ema_params(manager, step, shapes)
    _assert_equal(found, _state(step).ema_params)


def test_without_scores_the_latest_is_best(tmp_path):
    with checkpoints.open_manager(tmp_path, keep=1) as manager:
        for step in (1, 2):
            checkpoints.save(manager, _state(step), {}, None)
        checkpoints.finish(manager)
        assert checkpoints.choose_step(manager, "best") == 2
        assert list(manager.all_steps()) == [2]


def test_a_training_begins_from_weights_alone(tmp_path):
    params = _state(3).params
    with checkpoints.open_manager(tmp_path, keep=1) as manager:
        checkpoints.save_weights(manager, params, _description(9))
        assert checkpoints.restore_description(manager, 0) == _description(9)
        state = checkpoints.restore_training(manager, _shapes(_state(7)))
        _assert_equal(state.params, params)
        _assert_equal(state.ema_params, params)
        kernels = [tree["dense"]["kernel"] for tree in (state.params, state.ema_params)]
        assert not np.shares_memory(*kernels)
        assert state.step == 0 and not np.any(state.opt_state[0]["mu"])
    with pytest.raises(CheckpointError, match="already has a checkpoint of step 0"):
        checkpoints.check_empty(tmp_path)


def test_folders_without_checkpoints_are_named(tmp_path):
    with pytest.raises(CheckpointError, match="holds no checkpoints; train first"):
        checkpoints.open_to_read(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
    with checkpoints.open_manager(tmp_path, keep=1) as manager:
        for which in ("latest", "best"):
            with pytest.raises(CheckpointError, match="holds no complete checkpoint"):
                checkpoints.choose_step(manager, which)


def test_damaged_checkpoints_are_named(run):
    for path in (run / "checkpoints" / "4" / "ema_params").rglob("*"):
        if path.is_file():
            path.write_bytes(b"")
    message = r"checkpoint of step 4 in .* cannot be read .*remove the folder 4 there"
    with checkpoints.open_manager(run, keep=2) as manager:
        with pytest.raises(CheckpointError, match=message):
            checkpoints.restore_training(manager, _shapes(_state(0)))
        with pytest.raises(CheckpointError, match=message):
            checkpoints.restore_ema_params(manager, 4, _shapes(_state(0)).ema_params)
        # The one before is whole.
        shapes = _shapes(_state(0)).ema_params
        _assert_equal(checkpoints.restore_ema_params(manager, 3, shapes), _state(3).ema_params)


def test_readers_ignore_answers_after_the_end(run, monkeypatch):
    """TensorStore answers for other arrays when the first damaged one has ended the loop."""
    loops = []

    def refuse(*_, **__):
        loops.append(asyncio.new_event_loop())
        loops[-1].close()
        raise ValueError("damaged")

    usual = asyncio.get_event_loop_policy()
    asyncio.set_event_loop_policy(None)
    try:
        with checkpoints.open_to_read(run) as manager:
            monkeypatch.setattr(manager, "restore", refuse)
            with pytest.raises(CheckpointError, match="damaged"):
                checkpoints.restore_ema_params(manager, 4, _shapes(_state(4)).ema_params)
            with pytest.raises(CheckpointError, match="damaged"):
                checkpoints.restore_description(manager, 4)
    finally:
        asyncio.set_event_loop_policy(usual)
    for loop in loops:
        loop.call_soon_threadsafe(print, "late")
    assert len(loops) == 2


@pytest.mark.parametrize(
    "name", ["notes.txt", "tmp/", ".DS_Store", "step_x/", "4 (copy)/", "04/", "7"]
)
def test_what_others_leave_beside_the_steps_stays(run, name):
    leftover = run / "checkpoints" / name
    leftover.mkdir() if name.endswith("/") else leftover.write_text("mine")
    assert checkpoints.latest_step(run) == 4
    with checkpoints.open_manager(run, keep=1) as manager:
        checkpoints.save(manager, _state(5), _description(5), None)
        checkpoints.finish(manager)
        assert sorted(manager.all_steps()) == [2, 5]
    assert leftover.exists()


def test_a_folder_with_the_name_of_a_step_is_not_taken_for_one(run):
    (run / "checkpoints" / "1").mkdir()
    (run / "checkpoints" / "1" / "notes.txt").touch()
    with pytest.raises(CheckpointError, match=r"checkpoints/1 is no checkpoint.*move it elsewhere"):
        checkpoints.latest_step(run)


@pytest.mark.parametrize("rest", [("training", "_CHECKPOINT_METADATA"), ("metrics",), ()])
def test_the_remains_of_a_deletion_are_passed_over_and_removed(run, rest):
    for path in (run / "checkpoints/3").iterdir():
        if path.name not in rest:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert checkpoints.latest_step(run) == 4
    with checkpoints.open_manager(run, keep=2) as manager:
        _assert_equal(checkpoints.restore_training(manager, _shapes(_state(0))), _state(4))
        checkpoints.save(manager, _state(5), _description(5), 0.5)
        checkpoints.finish(manager)
    assert checkpoints.complete_steps(run) == [2, 4, 5]


def test_the_latest_checkpoint_without_a_description_is_no_remains(run):
    shutil.rmtree(run / "checkpoints/4/description")
    with pytest.raises(CheckpointError, match="4 is no checkpoint, or has lost its description"):
        checkpoints.latest_step(run)


def test_a_file_in_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "checkpoints").touch()
    with pytest.raises(CheckpointError, match="checkpoints is a file, not a folder"):
        checkpoints.latest_step(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "{}", "[1]", '{"score": "high"}'])
def test_damaged_scores_are_named(run, text):
    (run / "checkpoints/2/metrics/metrics").write_text(text)
    message = r"checkpoints/2/metrics is damaged .*; remove this folder"
    for open_run in (checkpoints.open_to_read, lambda run: checkpoints.open_manager(run, keep=2)):
        with pytest.raises(CheckpointError, match=message):
            open_run(run)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[1]", '{"config": {}}', '{"config": {"sed": 1}, "schema": {}}', "\0"],
)
def test_damaged_descriptions_are_named(run, text):
    (run / "checkpoints/4/description/metadata").write_text(text)
    message = r"checkpoint of step 4 in .* cannot be read \(.+\).*goes on from the one before\."
    with (
        checkpoints.open_to_read(run) as manager,
        pytest.raises(CheckpointError, match=message) as error,
    ):
        checkpoints.restore_description(manager, 4)
    assert "\n" not in str(error.value)


def test_a_checkpoint_without_its_training_state_is_no_start(run):
    (run / "checkpoints/4/training").rename(run / "lost")
    with (
        checkpoints.open_to_read(run) as manager,
        pytest.raises(CheckpointError, match=r"step 4 .* cannot be read"),
    ):
        checkpoints.restore_training(manager, _shapes(_state(0)))


def test_reading_changes_nothing(run):
    unfinished = run / "checkpoints/9.orbax-checkpoint-tmp/training"
    unfinished.mkdir(parents=True)
    before = {path: path.stat().st_mtime_ns for path in [run, *run.rglob("*")]}
    assert checkpoints.latest_step(run) == 4
    with checkpoints.open_to_read(run) as manager:
        checkpoints.restore_training(manager, _shapes(_state(0)))
    assert {path: path.stat().st_mtime_ns for path in [run, *run.rglob("*")]} == before


def test_what_cannot_be_written_says_what_is_complete(run):
    message = "could not be written to .*; step 4 is complete"
    with (
        checkpoints.open_manager(run, keep=2) as manager,
        pytest.raises(CheckpointError, match=message),
    ):
        checkpoints.save(manager, _state(5), {"seed": object()}, None)
        checkpoints.finish(manager)


def test_a_pipe_among_the_files_is_not_waited_for(run):
    os.mkfifo(run / "checkpoints" / "4" / "ema_params" / "pipe")
    with (
        checkpoints.open_to_read(run) as manager,
        pytest.raises(CheckpointError, match="pipe is no file and no folder"),
    ):
        checkpoints.restore_description(manager, 4)


def test_a_file_in_place_of_a_checkpoint_is_named(run, caplog):
    shutil.rmtree(run / "checkpoints" / "4")
    (run / "checkpoints" / "4").write_text("a file")
    with caplog.at_level("WARNING", "symmflow_jax"), checkpoints.open_to_read(run) as manager:
        assert checkpoints.choose_step(manager, "latest") == 3
    assert "checkpoints/4 has the name of a checkpoint, but is no folder" in caplog.text
