"""What the files of a pair say about its turn."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.decoding.header import Header
from symmflow_jax.data.sources.segmentation.image_pairs import ImagePairs
from symmflow_jax.data.sources.segmentation.pair import Pair, as_pairs
from symmflow_jax.data.sources.synthetic.shapes import Shapes
from symmflow_jax.semantics import labels


def _header(width, height, orientation):
    return Header("PNG", "L", "L", width, height, orientation, is_lossy=False)


@pytest.mark.parametrize(
    ("image", "mask", "other", "told"),
    [
        ((4, 4, 1), (4, 4, 1), False, False),
        ((4, 4, 6), (4, 4, 6), False, False),
        ((4, 4, 6), (4, 4, 1), True, False),
        ((4, 2, 3), (4, 2, 1), True, False),
        ((4, 2, 6), (4, 2, 8), True, False),
        ((4, 2, 6), (2, 4, 1), True, True),
        ((2, 4, 1), (4, 2, 8), True, True),
    ],
)
def test_sizes_tell_quarter_turns_of_oblong_pictures(image, mask, other, told):
    pair = Pair(
        image=Image.new("RGB", (4, 2)),
        mask=np.zeros((2, 4), np.uint8),
        ids=np.zeros((2, 4), np.uint8),
        image_header=_header(*image),
        mask_header=_header(*mask),
        palette=None,
        paths=(pathlib.Path("a.jpg"), pathlib.Path("a.png")),
    )
    assert pair.has_other_turn == other and pair.sizes_tell_turn == told


def test_sources_of_pairs_say_so():
    pairs = ImagePairs([], labels.consecutive(("sky", "road")))
    assert as_pairs(pairs) is pairs
    assert as_pairs(Shapes(1, "train", 0)) is None
