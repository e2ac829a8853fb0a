"""What is written beside the checkpoints."""

import pytest

from symmflow_jax.runs import folder
from symmflow_jax.runs.folder import History


def test_history_goes_on_from_the_checkpoint(tmp_path):
    first = History(tmp_path, step=0)
    for step in (1, 2, 3):
        first.append(step, {"loss": 1.0 / step})
    with (tmp_path / "history.jsonl").open("a") as file:
        file.write('{"step": 4, "lo')  # Cut off in writing.
    History(tmp_path, step=2).append(3, {"loss": 7.0})
    history = folder.read_history(tmp_path)
    assert [(line["step"], line["loss"]) for line in history] == [(1, 1.0), (2, 0.5), (3, 7.0)]


def test_a_folder_is_for_one_training_at_a_time(tmp_path):
    workdir = tmp_path / "run"
    with (
        folder.claim(workdir),
        pytest.raises(ValueError, match="Another training is writing to .*run.*--workdir"),
        folder.claim(workdir),
    ):
        raise AssertionError("unreachable: the folder is taken")
    with pytest.raises(OSError, match="full"), folder.claim(workdir):
        raise OSError("full")
    with folder.claim(workdir):  # It is free again, also after an error.
        pass
