"""Files that are written in one piece or not at all."""

import json

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.runtime import files


def test_json_is_replaced_in_one_piece(tmp_path):
    path = tmp_path / "value.json"
    for value in ({"a": 1, "b": [None, 0.5]}, [1, 2]):
        files.write_json(path, value)
        assert json.loads(path.read_text()) == value
    assert path.read_text().endswith("]\n")
    assert [p.name for p in tmp_path.iterdir()] == ["value.json"]


def test_what_cannot_be_written_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "value.json"
    files.write_json(path, {"a": 1})
    with pytest.raises(TypeError, match="not JSON serializable"):
        files.write_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_pictures_survive_their_files(tmp_path, channels, mode):
    path = tmp_path / "a" / "b" / "picture.png"
    image = np.random.default_rng(0).integers(256, size=(4, 6, channels), dtype=np.uint8)
    files.write_image(path, image)
    with Image.open(path) as picture:
        assert (picture.mode, picture.size) == (mode, (6, 4))
        np.testing.assert_array_equal(np.asarray(picture).reshape(image.shape), image)
