"""What ids without a class mean, and the line that mends them."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.masks.ids import read_mask
from symmflow_jax.data.masks.unknown_ids import meaning_of
from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.segmentation.image_pairs import to_classes
from symmflow_jax.semantics import labels


@pytest.mark.parametrize(
    ("ids", "classes", "text"),
    [
        (
            [[0, 257], [514, 514]],
            [[0, 1], [2, 2]],
            "8-bit ids were stretched to 16 bits (times 257)",
        ),
        ([[0, 1000], [2000, 2017]], [[0, 1], [2, 2]], "ids of instances (class * 1000 + n)"),
        ([[0, 65535], [65535, 0]], [[0, 1], [1, 0]], "0 and 65535 stand for two classes"),
        ([[0, 255], [255, 255]], [[0, 1], [1, 1]], "0 and 255 stand for two classes"),
    ],
)
def test_the_message_mends_the_mask(tmp_path, run_advice, ids, classes, text):
    path = tmp_path / "masks" / "a.png"
    path.parent.mkdir()
    Image.fromarray(np.array(ids, np.uint16)).save(path)
    schema = labels.consecutive(tuple("abc"[: np.max(classes) + 1]))
    with pytest.raises(DataError) as error:
        to_classes(read_mask(path), schema, path)
    message = str(error.value)
    assert f"a.png: ids {np.unique(ids)[1]}" in message and f". Probably {text}" in message
    if schema.num_classes == 2:
        assert f"set --config.data.class_ids=0,{np.max(ids)}, or write " in message
    with pytest.raises(DataError) as error:
        to_classes(read_mask(path), schema, path, classes_are_fixed=True)
    assert "config" not in str(error.value) and "python -c" in str(error.value)
    np.testing.assert_array_equal(to_classes(run_advice(message, path), schema, path), classes)


@pytest.mark.parametrize(
    ("found", "known"),
    [
        ({0, 1, 255}, {0, 1}),
        ({0, 255}, {0, 1, 2}),
        ({3, 9}, {0, 1}),
        ({0, 257}, {0, 5}),
        ({0, 1999}, {0, 1}),
        (set(range(0, 60_000, 7)), set(range(60))),
        (set(), {0}),
    ],
)
def test_other_ids_are_not_explained(found, known):
    assert meaning_of(found, known) is None


def test_a_mask_that_was_a_jpeg_is_recognized(tmp_path, compressed_masks):
    ids = compressed_masks(1, quality=75)[0]
    schema = labels.filed_under((0, 40, 80, 120), ("a", "b", "c", "d"))
    with pytest.raises(DataError, match=r"outside the class list.*was compressed as JPEG and sav"):
        to_classes(ids, schema, tmp_path / "a.png")


def test_a_model_has_no_keys_for_its_classes(tmp_path):
    schema = labels.consecutive(("sky", "road"))
    with pytest.raises(DataError, match="ids 7 are outside .* Give a mask with the ids of the mod"):
        to_classes(np.array([[0, 7]]), schema, tmp_path / "a.png", classes_are_fixed=True)
