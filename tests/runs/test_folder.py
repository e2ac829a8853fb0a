"""What is written beside the checkpoints."""

import json

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.runs import folder
from symmflow_jax.runs.folder import History
from symmflow_jax.runtime import files


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


def test_json_is_replaced_in_one_piece(tmp_path):
    path = tmp_path / "value.json"
    for value in ({"a": 1}, [1, 2]):
        files.write_json(path, value)
        assert json.loads(path.read_text()) == value
    assert [p.name for p in tmp_path.iterdir()] == ["value.json"]


def test_pictures_of_one_channel_are_grey(tmp_path):
    path = tmp_path / "a" / "grey.png"
    files.write_image(path, np.full((2, 3, 1), 9, np.uint8))
    picture = Image.open(path)
    assert (picture.mode, picture.size) == ("L", (3, 2))
