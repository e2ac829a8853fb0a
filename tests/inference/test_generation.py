"""Images of masks of any size."""

import numpy as np
import pytest
from PIL import Image

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]

# As in test_model.py, so that the programs are compiled once.
_WIDTH = {"semantics.dequantization_beta": 4.0}


def test_masks_of_any_size_become_images(random_model, tmp_path):
    model = random_model(**{"semantics.encoding": "palette"}, **_WIDTH)
    large = np.kron(np.arange(4).reshape(2, 2), np.ones((16, 16), int))
    small = np.kron(np.arange(4).reshape(2, 2), np.ones((4, 4), int))
    expected = np.asarray(model.generate(small, num_steps=1))
    np.testing.assert_array_equal(np.asarray(model.generate(large, num_steps=1)), expected)
    Image.fromarray(large.astype(np.uint8)).save(tmp_path / "mask.png")
    (made,) = model.generate(tmp_path, num_steps=1)
    np.testing.assert_array_equal(np.asarray(made), expected)


def test_a_view_makes_images_of_the_size_of_their_mask(random_model):
    model = random_model(**{"semantics.encoding": "onehot", "train.clock": "mixed"}, **_WIDTH)
    wide = np.zeros((8, 24), np.int32)
    made = model.generate([wide, wide.T], num_steps=1, fit="tiles", scale=1.0)
    assert [image.size for image in made] == [(24, 8), (8, 24)]
    labels = random_model(**{"semantics.encoding": "plane"}, **_WIDTH)
    with pytest.raises(ValueError, match="takes labels, which have no size"):
        labels.generate(0, fit="tiles")
