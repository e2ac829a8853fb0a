"""Uploads: photos and masks come through unchanged, and hostile ones end in one line."""

import base64
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.semantics.labels import UNKNOWN
from symmflow_jax.studio.refusal import Refusal
from symmflow_jax.studio.web import uploads
from tests.studio.conftest import SCHEMA


def _file(pixels: np.ndarray, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def _bomb(side: int) -> bytes:
    def part(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", data) + part(b"IEND", b"")


_PIXELS = np.random.default_rng(0).integers(256, size=(5, 9, 3), dtype=np.uint8)


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True})])
def test_a_photo_keeps_its_pixels(kind, options):
    photo = uploads.read_photo(_file(_PIXELS, kind, **options), "C:\\me\\street.png", 100)
    np.testing.assert_array_equal(photo.pixels, _PIXELS)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(photo.content))), _PIXELS)
    assert (photo.name, photo.size, photo.note) == ("street.png", (5, 9), "")


def test_a_jpeg_is_turned_by_its_orientation():
    picture = Image.fromarray(_PIXELS)
    exif = picture.getexif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", exif=exif)
    assert uploads.read_photo(buffer.getvalue(), "a.jpg", 100).size == (9, 5)


def test_a_large_photo_is_made_smaller_and_says_so():
    photo = uploads.read_photo(_file(np.zeros((40, 100, 3), np.uint8), "PNG"), "a.png", 50)
    assert photo.size == (20, 50)
    assert "100x40 pixels was made smaller, to 50x20; --longest_side" in photo.note


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "no photo of a kind"),
        (b"GIF89a" + bytes(50), "no photo of a kind"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "cannot be read as a photo"),
        (b"RIFF" + bytes(60), "cannot be read as a photo"),
        (_bomb(60_000), r"60000x60000 pixels \(3600 megapixels\), more than the limit of 50"),
        (_bomb(5_000), "cannot be read as an image"),
        (_file(_PIXELS, "PNG")[:60], "cannot be read"),
    ],
)
def test_what_is_no_photo_is_refused_in_one_line(content, message):
    with pytest.raises(Refusal, match=message) as told:
        uploads.read_photo(content, "../../etc/passwd", 100)
    assert str(told.value).startswith("passwd ") and "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("given", "shown"),
    [("../../etc/passwd", "passwd"), ("..", "photo"), ("", "photo"), ("a\nb\0.png", "a\\nb.png")],
)
def test_names_are_of_one_line_and_no_paths(given, shown):
    assert uploads.shown_name(given) == shown
    assert len(uploads.shown_name("x" * 1000)) == 80


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_masks_come_as_they_went(dtype, encoded):
    classes = np.asarray([[0, 1, 2], [2, 1, 0]], dtype)
    found = uploads.read_ids(encoded(classes), (2, 3), SCHEMA, unknown=False)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, classes)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
def test_masks_of_every_dtype_become_ids(dtype):
    classes = np.asarray([[0, 1, 2]], dtype)
    text = base64.b64encode(uploads.ids_as_png(classes)).decode()
    np.testing.assert_array_equal(uploads.read_ids(text, (1, 3), SCHEMA, unknown=True), classes)


def test_erased_pixels_are_unknown_where_that_is_known(encoded):
    classes = np.asarray([[0, UNKNOWN]])
    text = base64.b64encode(uploads.ids_as_png(classes)).decode()
    np.testing.assert_array_equal(uploads.read_ids(text, (1, 2), SCHEMA, unknown=True), classes)
    with pytest.raises(Refusal, match="pixels without a class; the classes are 0 to 2"):
        uploads.read_ids(text, (1, 2), SCHEMA, unknown=False)


def test_other_numbers_and_sizes_are_refused(encoded):
    with pytest.raises(Refusal, match="has the number 3; the classes are 0 to 2"):
        uploads.read_ids(encoded(np.full((2, 2), 3, np.uint8)), (2, 2), SCHEMA, unknown=True)
    with pytest.raises(Refusal, match="has 2x3 pixels; it must have 2x2"):
        uploads.read_ids(encoded(np.zeros((3, 2), np.uint8)), (2, 2), SCHEMA, unknown=False)
    with pytest.raises(Refusal, match="of mode RGB, not grey"):
        uploads.read_ids(encoded(np.zeros((2, 2, 3), np.uint8)), (2, 2), SCHEMA, unknown=False)


@pytest.mark.parametrize("text", [None, 3, "no base64!", "aGVsbG8=", "iVBORw0KGgo="])
def test_what_is_no_mask_is_refused(text):
    with pytest.raises(Refusal, match="The mask .*load the page again"):
        uploads.read_ids(text, (2, 2), SCHEMA, unknown=False)


def test_a_region_is_where_it_is_not_black(encoded):
    region = uploads.read_region(encoded(np.asarray([[0, 255]], np.uint8)), (1, 2))
    np.testing.assert_array_equal(region, [[False, True]])
    with pytest.raises(Refusal, match="The region is empty"):
        uploads.read_region(encoded(np.zeros((1, 2), np.uint8)), (1, 2))


def test_drawings_are_bounded(encoded):
    drawing = uploads.read_drawing(encoded(np.full((4, 4), 9, np.uint8)), 4)
    assert drawing.shape == (4, 4, 3) and np.all(drawing == 9)
    with pytest.raises(Refusal, match="must have at most 3x3"):
        uploads.read_drawing(encoded(np.zeros((4, 4), np.uint8)), 3)
