"""What was saved is restored, and damage is explained."""

import asyncio
import os

import numpy as np
import pytest

from symmflow_jax.runs.checkpointing import layout, opening, restoring, saving
from symmflow_jax.runtime.errors import CheckpointError
from tests.runs.checkpointing.states import assert_equal, description, shapes_of, state_of


def test_what_was_saved_is_restored(run):
    with opening.open_manager(run, keep=2) as manager:
        restored = restoring.restore_training(manager, shapes_of(state_of(0)))
    assert_equal(restored, state_of(4))


@pytest.mark.parametrize("step", [2, 3])
def test_averages_and_descriptions_are_read_by_themselves(run, step):
    with opening.open_to_read(run) as manager:
        assert restoring.restore_description(manager, step) == description(step)
        shapes = shapes_of(state_of(0)).ema_params
        found = restoring.restore_ema_params(manager, step, shapes)
    assert_equal(found, state_of(step).ema_params)


def test_a_training_begins_from_weights_alone(tmp_path):
    params = state_of(3).params
    with opening.open_manager(tmp_path, keep=1) as manager:
        saving.save_weights(manager, params, description(9))
        assert restoring.restore_description(manager, 0) == description(9)
        state = restoring.restore_training(manager, shapes_of(state_of(7)))
        assert_equal(state.params, params)
        assert_equal(state.ema_params, params)
        kernels = [tree["dense"]["kernel"] for tree in (state.params, state.ema_params)]
        assert not np.shares_memory(*kernels)
        assert state.step == 0 and not np.any(state.opt_state[0]["mu"])
    with pytest.raises(CheckpointError, match="already has a checkpoint of step 0"):
        layout.check_empty(tmp_path)


def test_damaged_checkpoints_are_named(run):
    for path in (run / "checkpoints" / "4" / "ema_params").rglob("*"):
        if path.is_file():
            path.write_bytes(b"")
    message = r"checkpoint of step 4 in .* cannot be read .*remove the folder 4 there"
    with opening.open_manager(run, keep=2) as manager:
        with pytest.raises(CheckpointError, match=message):
            restoring.restore_training(manager, shapes_of(state_of(0)))
        with pytest.raises(CheckpointError, match=message):
            restoring.restore_ema_params(manager, 4, shapes_of(state_of(0)).ema_params)
        # The one before is whole.
        shapes = shapes_of(state_of(0)).ema_params
        assert_equal(restoring.restore_ema_params(manager, 3, shapes), state_of(3).ema_params)


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
        with opening.open_to_read(run) as manager:
            monkeypatch.setattr(manager, "restore", refuse)
            with pytest.raises(CheckpointError, match="damaged"):
                restoring.restore_ema_params(manager, 4, shapes_of(state_of(4)).ema_params)
            with pytest.raises(CheckpointError, match="damaged"):
                restoring.restore_description(manager, 4)
    finally:
        asyncio.set_event_loop_policy(usual)
    for loop in loops:
        loop.call_soon_threadsafe(print, "late")
    assert len(loops) == 2


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[1]", '{"config": {}}', '{"config": {"sed": 1}, "schema": {}}', "\0"],
)
def test_damaged_descriptions_are_named(run, text):
    (run / "checkpoints/4/description/metadata").write_text(text)
    message = r"checkpoint of step 4 in .* cannot be read \(.+\).*goes on from the one before\."
    with (
        opening.open_to_read(run) as manager,
        pytest.raises(CheckpointError, match=message) as error,
    ):
        restoring.restore_description(manager, 4)
    assert "\n" not in str(error.value)


def test_a_checkpoint_without_its_training_state_is_no_start(run):
    (run / "checkpoints/4/training").rename(run / "lost")
    with (
        opening.open_to_read(run) as manager,
        pytest.raises(CheckpointError, match=r"step 4 .* cannot be read"),
    ):
        restoring.restore_training(manager, shapes_of(state_of(0)))


def test_reading_changes_nothing(run):
    unfinished = run / "checkpoints/9.orbax-checkpoint-tmp/training"
    unfinished.mkdir(parents=True)
    before = {path: path.stat().st_mtime_ns for path in [run, *run.rglob("*")]}
    assert layout.latest_step(run) == 4
    with opening.open_to_read(run) as manager:
        restoring.restore_training(manager, shapes_of(state_of(0)))
    assert {path: path.stat().st_mtime_ns for path in [run, *run.rglob("*")]} == before


def test_a_pipe_among_the_files_is_not_waited_for(run):
    os.mkfifo(run / "checkpoints" / "4" / "ema_params" / "pipe")
    with (
        opening.open_to_read(run) as manager,
        pytest.raises(CheckpointError, match="pipe is no file and no folder"),
    ):
        restoring.restore_description(manager, 4)


@pytest.mark.parametrize("name", ["_CHECKPOINT_METADATA", "metrics/metrics"])
def test_a_pipe_is_not_waited_for_when_checkpoints_are_opened(run, name):
    path = run / "checkpoints" / "4" / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    for open_again in (opening.open_to_read, lambda folder: opening.open_manager(folder, 2)):
        with pytest.raises(CheckpointError, match=f"{path.name} is no file and no folder"):
            open_again(run)
