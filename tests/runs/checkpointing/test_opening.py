"""Which checkpoints are there, kept and taken."""

import shutil

import pytest

from symmflow_jax.runs.checkpointing import opening, saving
from symmflow_jax.runtime.errors import CheckpointError
from tests.runs.checkpointing.states import state_of


def test_the_last_ones_and_the_best_are_kept(run):
    with opening.open_to_read(run) as manager:
        assert sorted(manager.all_steps()) == [2, 3, 4]
        assert opening.choose_step(manager, "latest") == 4
        assert opening.choose_step(manager, "best") == 2


def test_without_scores_the_latest_is_best(tmp_path):
    with opening.open_manager(tmp_path, keep=1) as manager:
        for step in (1, 2):
            saving.save(manager, state_of(step), {}, None)
        saving.finish(manager)
        assert opening.choose_step(manager, "best") == 2
        assert list(manager.all_steps()) == [2]


def test_folders_without_checkpoints_are_named(tmp_path):
    with pytest.raises(CheckpointError, match="holds no checkpoints; train first"):
        opening.open_to_read(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
    with opening.open_manager(tmp_path, keep=1) as manager:
        for which in ("latest", "best"):
            with pytest.raises(CheckpointError, match="holds no complete checkpoint"):
                opening.choose_step(manager, which)


@pytest.mark.parametrize("text", ["", "{", "{}", "[1]", '{"score": "high"}'])
def test_damaged_scores_are_named(run, text):
    (run / "checkpoints/2/metrics/metrics").write_text(text)
    message = r"checkpoints/2/metrics is damaged .*; remove this folder"
    for open_run in (opening.open_to_read, lambda run: opening.open_manager(run, keep=2)):
        with pytest.raises(CheckpointError, match=message):
            open_run(run)


def test_a_file_in_place_of_a_checkpoint_is_named(run, caplog):
    shutil.rmtree(run / "checkpoints" / "4")
    (run / "checkpoints" / "4").write_text("a file")
    with caplog.at_level("WARNING", "symmflow_jax"), opening.open_to_read(run) as manager:
        assert opening.choose_step(manager, "latest") == 3
    assert "checkpoints/4 has the name of a checkpoint, but is no folder" in caplog.text
