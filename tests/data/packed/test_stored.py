"""Examples as their files hold them."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.packed.stored import content_of, stored_example
from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.synthetic.shapes import Shapes


def test_image_files_keep_their_bytes(pairs):
    source = pairs(1)
    stored = stored_example(source, 0)
    assert stored.image == source.pairs[0][0].read_bytes()
    assert stored.name == source.pairs[0][0] and stored.label is None
    np.testing.assert_array_equal(stored.mask, source[0]["mask"])


def test_arrays_are_taken_as_they_are():
    source = Shapes(2, "train", 0)
    stored, element = stored_example(source, 1), source[1]
    for found, expected in ((stored.image, element["image"]), (stored.mask, element["mask"])):
        np.testing.assert_array_equal(found, expected)
    assert (stored.name, stored.label) == ("1", int(element["label"]))


def test_a_picture_without_a_file_needs_a_method():
    class Pictures(Shapes):
        def __getitem__(self, index):
            return {"image": Image.new("RGB", (2, 2)), "label": np.int32(0)}

    with pytest.raises(DataError, match="type Image, .* give Pictures a method `stored`"):
        stored_example(Pictures(2, "train", 0), 0)


def test_a_file_that_is_gone_is_named(tmp_path):
    with pytest.raises(DataError, match=r"a\.png cannot be read: No such file"):
        content_of(tmp_path / "a.png")
