"""What a data set proposes: an image size of its aspect ratio, and class weights."""

import numpy as np
import pytest

from symmflow_jax.preparation.survey import proposals
from symmflow_jax.semantics import labels


@pytest.mark.parametrize(
    ("sizes", "now", "multiple", "expected"),
    [
        ({(480, 640): 9, (100, 100): 1}, (112, 112), 8, (96, 128)),
        ({(640, 480): 1}, (112, 112), 8, (128, 96)),
        ({(500, 500): 1}, (96, 128), 8, (112, 112)),
        ({(360, 480): 1}, (128, 128), 32, (96, 128)),
        ({(32, 32): 1}, (256, 256), 8, (32, 32)),
        ({(100, 1600): 1}, (64, 64), 16, (16, 256)),
    ],
)
def test_a_size_has_the_ratio_of_the_images_at_the_same_cost(sizes, now, multiple, expected):
    assert proposals.propose_size(sizes, now, multiple) == expected


@pytest.mark.parametrize(
    ("size", "now", "line"),
    [
        (
            (480, 640),
            (96, 128),
            "image_size 96,128 (height, width) fits the images (median 480,640).",
        ),
        (
            (480, 640),
            (112, 112),
            "image_size 112,112 (height, width) has another aspect ratio than the images and "
            "leaves out 25% (median 480,640). Of about the same cost or less: "
            "--config.data.image_size=96,128",
        ),
        (
            (32, 32),
            (256, 256),
            "image_size 256,256 (height, width) enlarges the images 8.0 times, at a cost that "
            "brings nothing (median 32,32). Of about the same cost or less: "
            "--config.data.image_size=32,32",
        ),
        (
            (9, 9),
            (32, 32),
            "image_size 32,32 (height, width) enlarges the images 3.6 times, at a cost that brings "
            "nothing; sides must be divisible by 32.",
        ),
    ],
)
def test_the_line_says_what_does_not_fit(size, now, line):
    multiple = 32 if size == (9, 9) else 8
    assert proposals.size_line({size: 3}, now, multiple) == line


def test_weights_are_named_by_class_without_ignored_ones():
    schema = labels.consecutive(("sky", "sea"), ignored_id=255)
    lines = proposals.weight_lines(np.asarray([0.8, 0.2, 0.0]), schema)
    assert lines[1] == "--config.train.class_weights=inverse_sqrt: sky 0.83, sea 1.67"
    assert lines[0].startswith("--config.train.class_weights=enet: sky ")
    assert not any("void" in line for line in lines)
