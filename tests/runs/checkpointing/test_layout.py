"""The folder of checkpoints: which are there, what is none, and what a deletion leaves."""

import shutil

import pytest

from symmflow_jax.runs.checkpointing import layout, opening, restoring, saving
from symmflow_jax.runtime.errors import CheckpointError
from tests.runs.checkpointing.states import assert_equal, description, shapes_of, state_of


@pytest.mark.parametrize(
    "name", ["notes.txt", "tmp/", ".DS_Store", "step_x/", "4 (copy)/", "04/", "7"]
)
def test_what_others_leave_beside_the_steps_stays(run, name):
    leftover = run / "checkpoints" / name
    leftover.mkdir() if name.endswith("/") else leftover.write_text("mine")
    assert layout.latest_step(run) == 4
    with opening.open_manager(run, keep=1) as manager:
        saving.save(manager, state_of(5), description(5), None)
        saving.finish(manager)
        assert sorted(manager.all_steps()) == [2, 5]
    assert leftover.exists()


def test_a_folder_with_the_name_of_a_step_is_not_taken_for_one(run):
    (run / "checkpoints" / "1").mkdir()
    (run / "checkpoints" / "1" / "notes.txt").touch()
    with pytest.raises(CheckpointError, match=r"checkpoints/1 is no checkpoint.*move it elsewhere"):
        layout.latest_step(run)


@pytest.mark.parametrize("rest", [("training", "_CHECKPOINT_METADATA"), ("metrics",), ()])
def test_the_remains_of_a_deletion_are_passed_over_and_removed(run, rest):
    for path in (run / "checkpoints/3").iterdir():
        if path.name not in rest:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert layout.latest_step(run) == 4
    with opening.open_manager(run, keep=2) as manager:
        assert_equal(restoring.restore_training(manager, shapes_of(state_of(0))), state_of(4))
        saving.save(manager, state_of(5), description(5), 0.5)
        saving.finish(manager)
    assert layout.complete_steps(run) == [2, 4, 5]


def test_the_latest_checkpoint_without_a_description_is_no_remains(run):
    shutil.rmtree(run / "checkpoints/4/description")
    with pytest.raises(CheckpointError, match="4 is no checkpoint, or has lost its description"):
        layout.latest_step(run)


def test_a_file_in_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "checkpoints").touch()
    with pytest.raises(CheckpointError, match="checkpoints is a file, not a folder"):
        layout.latest_step(tmp_path)
