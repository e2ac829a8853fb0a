"""What is written beside the checkpoints."""

import json

import numpy as np
import pytest
from PIL import Image

from symmflow_jax import run_folder
from symmflow_jax.run_folder import History


def test_history_goes_on_from_the_checkpoint(tmp_path):
    first = History(tmp_path, step=0)
    for step in (1, 2, 3):
        first.append(step, {"loss": 1.0 / step})
    with (tmp_path / "history.jsonl").open("a") as file:
        file.write('{"step": 4, "lo')  # Cut off in writing.
    History(tmp_path, step=2).append(3, {"loss": 7.0})
    history = run_folder.read_history(tmp_path)
    assert [(line["step"], line["loss"]) for line in history] == [(1, 1.0), (2, 0.5), (3, 7.0)]


def test_a_folder_is_for_one_training_at_a_time(tmp_path):
    workdir = tmp_path / "run"
    with (
        run_folder.claim(workdir),
        pytest.raises(ValueError, match="Another training is writing to .*run.*--workdir"),
        run_folder.claim(workdir),
    ):
        raise AssertionError("unreachable: the folder is taken")
    with pytest.raises(OSError, match="full"), run_folder.claim(workdir):
        raise OSError("full")
    with run_folder.claim(workdir):  # It is free again, also after an error.
        pass


def test_json_is_replaced_in_one_piece(tmp_path):
    path = tmp_path / "value.json"
    for value in ({"a": 1}, [1, 2]):
        run_folder.write_json(path, value)
        assert json.loads(path.read_text()) == value
    assert [p.name for p in tmp_path.iterdir()] == ["value.json"]


def test_pictures_of_one_channel_are_grey(tmp_path):
    path = tmp_path / "a" / "grey.png"
    run_folder.write_picture(path, np.full((2, 3, 1), 9, np.uint8))
    picture = Image.open(path)
    assert (picture.mode, picture.size) == ("L", (3, 2))
