"""Records keep everything of an example."""

import io

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.packed import records
from symmflow_jax.data.packed.stored import Stored
from symmflow_jax.semantics import labels


def _picture(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize(
    ("raw_ids", "mode", "stored"),
    [((7, 255), "L", (7, 255)), ((7, 40_000), "I;16", (7, 40_000)), ((7, 70_000), "L", (0, 1))],
)
def test_masks_are_pictures_of_the_ids_of_the_files(raw_ids, mode, stored):
    schema = records.stored_schema(labels.filed_under(raw_ids, ("sky", "road")))
    mask = np.array([[0, 1, 1], [1, 0, 0]], np.uint8)
    content = records.pack(Stored("a", b"JPEG", mask), "a", schema)
    picture = _picture(records.unpack(content).mask)
    assert (picture.format, picture.mode) == ("PNG", mode)
    np.testing.assert_array_equal(np.asarray(picture), np.asarray(stored)[mask])
    np.testing.assert_array_equal(schema.from_raw(np.asarray(picture).astype(int), "a"), mask)


def test_the_orientation_of_a_mask_is_kept():
    schema = labels.consecutive(("sky", "road"))
    example = Stored("a", b"JPEG", np.zeros((2, 3), np.uint8), orientation=6)
    picture = _picture(records.unpack(records.pack(example, "a", schema)).mask)
    assert picture.size == (3, 2) and picture.getexif()[0x0112] == 6


@pytest.mark.parametrize(
    "image",
    [
        b"JPEG",
        np.arange(6, dtype=np.uint8).reshape(1, 2, 3),
        np.arange(4, dtype=np.uint8).reshape(2, 2, 1)[::-1],
        np.array([0.5, -3.25], np.float32),
    ],
)
def test_images_come_back_as_they_were(image):
    record = records.unpack(records.pack(Stored("a", image, label=3), "tür\udce9/a.jpg", None))
    assert record.name == "tür\udce9/a.jpg"
    assert record.mask is None and record.label.dtype == np.int32 and record.label == 3
    assert type(record.image) is type(image)
    np.testing.assert_array_equal(record.image, image)


def test_ids_that_were_merged_have_one_id():
    schema = labels.LabelSchema(("a", "b"), (4, 9), ((0, 0, 0), (9, 9, 9)), (), ((5, 0),))
    assert records.stored_schema(schema).known_ids == (4, 9)
