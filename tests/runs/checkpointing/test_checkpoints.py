"""Checkpoints: what is saved is restored, kept as long as it should be, and explained."""

import asyncio
import os
import shutil

import numpy as np
import pytest

from symmflow_jax.runs.checkpointing import checkpoints, layout
from symmflow_jax.runtime.errors import CheckpointError
from tests.runs.checkpointing.states import assert_equal, description, shapes_of, state_of


def test_what_was_saved_is_restored(run):
    with checkpoints.open_manager(run, keep=2) as manager:
        restored = checkpoints.restore_training(manager, shapes_of(state_of(0)))
    assert_equal(restored, state_of(4))


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
        checkpoints.save(manager, state_of(5), description(5), None)
        checkpoints.finish(manager)
        # The former best one is no longer kept, and this one is.
        assert sorted(manager.all_steps()) == [4, 5]
        assert checkpoints.choose_step(manager, "best") == 4
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["4", "5"]


@pytest.mark.parametrize("step", [2, 3])
def test_averages_and_descriptions_are_read_by_themselves(run, step):
    with checkpoints.open_to_read(run) as manager:
        assert checkpoints.restore_description(manager, step) == description(step)
        shapes = shapes_of(state_of(0)).ema_params
        found = checkpoints.restore_ema_params(manager, step, shapes)
    assert_equal(found, state_of(step).ema_params)


def test_without_scores_the_latest_is_best(tmp_path):
    with checkpoints.open_manager(tmp_path, keep=1) as manager:
        for step in (1, 2):
            checkpoints.save(manager, state_of(step), {}, None)
        checkpoints.finish(manager)
        assert checkpoints.choose_step(manager, "best") == 2
        assert list(manager.all_steps()) == [2]


def test_a_training_begins_from_weights_alone(tmp_path):
    params = state_of(3).params
    with checkpoints.open_manager(tmp_path, keep=1) as manager:
        checkpoints.save_weights(manager, params, description(9))
        assert checkpoints.restore_description(manager, 0) == description(9)
        state = checkpoints.restore_training(manager, shapes_of(state_of(7)))
        assert_equal(state.params, params)
        assert_equal(state.ema_params, params)
        kernels = [tree["dense"]["kernel"] for tree in (state.params, state.ema_params)]
        assert not np.shares_memory(*kernels)
        assert state.step == 0 and not np.any(state.opt_state[0]["mu"])
    with pytest.raises(CheckpointError, match="already has a checkpoint of step 0"):
        layout.check_empty(tmp_path)


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
            checkpoints.restore_training(manager, shapes_of(state_of(0)))
        with pytest.raises(CheckpointError, match=message):
            checkpoints.restore_ema_params(manager, 4, shapes_of(state_of(0)).ema_params)
        # The one before is whole.
        shapes = shapes_of(state_of(0)).ema_params
        assert_equal(checkpoints.restore_ema_params(manager, 3, shapes), state_of(3).ema_params)


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
                checkpoints.restore_ema_params(manager, 4, shapes_of(state_of(4)).ema_params)
            with pytest.raises(CheckpointError, match="damaged"):
                checkpoints.restore_description(manager, 4)
    finally:
        asyncio.set_event_loop_policy(usual)
    for loop in loops:
        loop.call_soon_threadsafe(print, "late")
    assert len(loops) == 2


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
        checkpoints.restore_training(manager, shapes_of(state_of(0)))


def test_reading_changes_nothing(run):
    unfinished = run / "checkpoints/9.orbax-checkpoint-tmp/training"
    unfinished.mkdir(parents=True)
    before = {path: path.stat().st_mtime_ns for path in [run, *run.rglob("*")]}
    assert layout.latest_step(run) == 4
    with checkpoints.open_to_read(run) as manager:
        checkpoints.restore_training(manager, shapes_of(state_of(0)))
    assert {path: path.stat().st_mtime_ns for path in [run, *run.rglob("*")]} == before


def test_what_cannot_be_written_says_what_is_complete(run):
    message = "could not be written to .*; step 4 is complete"
    with (
        checkpoints.open_manager(run, keep=2) as manager,
        pytest.raises(CheckpointError, match=message),
    ):
        checkpoints.save(manager, state_of(5), {"seed": object()}, None)
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
