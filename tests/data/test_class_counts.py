"""Pixels and pictures of each class are counted once, by one function."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data import class_counts
from symmflow_jax.data.class_counts import ClassCounts
from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.segmentation.paired_folder import PairedFolder
from symmflow_jax.data.sources.synthetic.spirals import Spirals
from symmflow_jax.semantics import labels

_SCHEMA = labels.consecutive(("sky", "sea", "land"), ignored_id=255)
_MASKS = {
    "a": [[0, 0, 1], [0, 0, 255]],
    "b": [[1, 1, 1], [1, 1, 1]],
    "c": [[0, 255, 255], [255, 255, 255]],
}


@pytest.fixture
def source(tmp_path):
    """Three pairs, whose masks are `_MASKS`."""
    for name, mask in _MASKS.items():
        for kind, pixels in (("images", np.zeros((2, 3, 3))), ("masks", np.asarray(mask))):
            (tmp_path / kind).mkdir(exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / kind / f"{name}.png")
    return PairedFolder(tmp_path / "images", tmp_path / "masks", _SCHEMA)


def test_masks_are_counted_by_example(source):
    table = class_counts.count_by_example(source, "mask", 4)
    assert table.tolist() == [[4, 1, 0, 1], [0, 6, 0, 0], [1, 0, 0, 5]]
    counts = ClassCounts.of_examples(table)
    assert counts == ClassCounts((5, 7, 0, 6), (2, 2, 0, 2), 3)
    assert ClassCounts.from_json(counts.to_json()) == counts


def test_shares_leave_ignored_classes_out(source):
    counts = ClassCounts.of_examples(class_counts.count_by_example(source, "mask", 4))
    np.testing.assert_allclose(counts.shares(), [5 / 18, 7 / 18, 0, 6 / 18])
    np.testing.assert_allclose(counts.shares(_SCHEMA.ignored), [5 / 12, 7 / 12, 0, 0])
    assert not ClassCounts((0, 3), (0, 1), 1).shares(leaving_out=(1,)).any()


def test_labels_count_as_one():
    source = Spirals(100, "train", seed=0)
    table = class_counts.count_by_example(source, "label", source.schemas["label"].num_classes)
    assert table.sum(axis=1).tolist() == [1] * 100
    assert [int(row.argmax()) for row in table] == [int(source[i]["label"]) for i in range(100)]


def test_unknown_pixels_are_not_counted():
    assert class_counts.count_labels(np.asarray([[-1, 2], [2, 0]]), 4).tolist() == [1, 0, 2, 0]


def test_unreadable_examples_are_refused_or_skipped(source):
    source.pairs[1][1].write_bytes(b"no picture")
    with pytest.raises(DataError, match="b.png"):
        class_counts.count_by_example(source, "mask", 4)
    table = class_counts.count_by_example(source, "mask", 4, skip_errors=True)
    assert table.sum(axis=1).tolist() == [6, 0, 6]
