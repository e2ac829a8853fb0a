"""Masks of ids: what is read exactly, and what is refused with its remedy."""

import json
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.decoding.decoding import decode
from symmflow_jax.data.masks.ids import ids_of, read_mask
from symmflow_jax.data.source import DataError

IDS = np.random.default_rng(0).choice(np.array([0, 1, 2, 255], np.uint8), size=(6, 8))


@pytest.fixture
def path(tmp_path):
    """A file in a folder of masks whose name needs quotes."""
    folder = tmp_path / "the user's masks"
    folder.mkdir()
    return folder / "a.png"


def _write_png(path, rows, depth, colour_type, width):
    """A PNG of a kind that Pillow does not write."""

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour_type, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def _refusal(path, known=()):
    with pytest.raises(DataError) as error:
        ids_of(decode(path), path, known)
    return str(error.value)


@pytest.mark.parametrize("kind", ["L", "P", "I;16", "1"])
def test_masks_of_one_channel_keep_their_ids(tmp_path, kind):
    ids = np.array([[0, 1, 1], [1, 0, 1]], np.uint8)
    if kind == "I;16":
        ids = ids.astype(np.uint16) * 1000
        picture = Image.fromarray(ids)
    elif kind == "P":
        ids = ids * 7
        picture = Image.fromarray(ids)
        picture.putpalette(list(range(255, -1, -1)) * 3)
    else:
        picture = Image.fromarray(ids * 255).convert("1") if kind == "1" else Image.fromarray(ids)
    assert picture.mode == kind
    picture.save(tmp_path / "a.png")
    read = read_mask(tmp_path / "a.png")
    assert read.dtype == (np.uint8 if kind in ("L", "P") else np.int32)
    np.testing.assert_array_equal(read, ids)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_grey_in_several_channels_is_read(tmp_path, mode, suffix):
    options = {"lossless": True} if suffix == "webp" else {}
    Image.fromarray(IDS).convert(mode).save(tmp_path / f"a.{suffix}", **options)
    np.testing.assert_array_equal(read_mask(tmp_path / f"a.{suffix}"), IDS)


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.uint16])
def test_tiffs_of_whole_numbers_are_read(tmp_path, dtype):
    Image.fromarray(IDS.astype(dtype)).save(tmp_path / "a.tif")
    read = read_mask(tmp_path / "a.tif")
    assert read.dtype == np.int32
    np.testing.assert_array_equal(read, IDS)


@pytest.mark.parametrize(("depth", "row"), [(4, b"\x01\x2f"), (2, b"\x1b")])
def test_grey_of_few_bits_is_not_stretched(path, depth, row):
    _write_png(path, [row], depth, 0, width=4)
    np.testing.assert_array_equal(read_mask(path), [[0, 1, 2, 2**depth - 1]])


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.jpg", "a.webp", "a.tif"])
@pytest.mark.parametrize(
    ("kind", "options", "named"),
    [
        ("JPEG", {}, "JPEG"),
        ("WEBP", {"quality": 90}, "lossy WebP"),
        ("TIFF", {"compression": "jpeg"}, "TIFF compressed as JPEG"),
    ],
)
def test_lossy_masks_are_refused_whatever_their_name_says(tmp_path, name, kind, options, named):
    Image.fromarray(IDS).save(tmp_path / name, format=kind, **options)
    with pytest.raises(DataError, match=f"{name} is a {named} by its content, whose compression"):
        read_mask(tmp_path / name)


def test_masks_are_turned_as_their_images_are(tmp_path):
    picture = Image.fromarray(IDS)
    exif = picture.getexif()
    exif[0x0112] = 3  # Upside down.
    picture.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png"), IDS[::-1, ::-1])


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_grey_with_transparency_names_the_command(path, run_advice, mode):
    picture = Image.fromarray(IDS).convert(mode)
    picture.putalpha(Image.fromarray(np.uint8(255 - IDS)))
    picture.save(path)
    message = _refusal(path)
    assert f"grey values and transparency (mode {mode}, alpha down to 0)" in message
    np.testing.assert_array_equal(run_advice(message, path), IDS)


def test_floats_of_ids_divided_by_255_name_the_command(path, run_advice):
    path = path.with_suffix(".tif")
    Image.fromarray(IDS.astype(np.float32) / 255).save(path)
    message = _refusal(path)
    assert "which is no id. All its numbers are ids divided by 255" in message
    np.testing.assert_array_equal(run_advice(message, path), IDS)


@pytest.mark.parametrize("number", [0.5, np.nan, -1e20])
def test_other_floats_are_refused(tmp_path, number):
    Image.fromarray(np.array([[1.0, number]], np.float32)).save(tmp_path / "a.tif")
    assert f"holds the float {number:g}, which is no id" in _refusal(tmp_path / "a.tif")


def test_ids_in_the_red_channel_name_the_command(path, run_advice):
    Image.fromarray(np.stack([IDS, 0 * IDS, 0 * IDS], axis=-1)).save(path)
    message = _refusal(path)
    assert "is an image of mode RGB with 4 colours, such as #ff0000" in message
    np.testing.assert_array_equal(run_advice(message, path, in_shell=True), IDS)


def test_instances_in_colours_name_the_command(path, run_advice):
    numbers = np.array([[7, 24_001], [26_000, 26_012]])
    colours = np.stack([numbers % 256, numbers // 256, 0 * numbers], axis=-1).astype(np.uint8)
    Image.fromarray(colours).save(path)
    assert "set config.data.class_colours" in _refusal(path)
    message = _refusal(path, known=(7, 24, 26))
    assert "Its colours code class * 1000 + n; write" in message
    np.testing.assert_array_equal(run_advice(message, path), [[7, 24], [26, 26]])


def test_panoptic_masks_name_the_command(path, run_advice):
    numbers = np.array([[0, 70_000], [300, 300]])
    colours = np.stack([numbers % 256, numbers // 256 % 256, numbers // 65536], axis=-1)
    Image.fromarray(colours.astype(np.uint8)).save(path)
    segments = [{"id": 70_000, "category_id": 3}, {"id": 300, "category_id": 17}]
    annotations = {"annotations": [{"file_name": path.name, "segments_info": segments}]}
    path.parent.with_name(f"{path.parent.name}.json").write_text(json.dumps(annotations))
    message = _refusal(path)
    assert "names the classes of its segments (COCO panoptic)" in message
    np.testing.assert_array_equal(run_advice(message, path), [[0, 3], [17, 17]])


def test_channels_of_16_bits_are_not_cut(path):
    _write_png(path, [struct.pack(">6H", 1, 1, 1, 2, 2, 2)], 16, 2, width=2)
    assert "has several channels of 16 bits" in _refusal(path)


def test_white_as_zero_names_the_command(path, run_advice):
    path = path.with_suffix(".tif")
    Image.fromarray(255 - IDS).save(path, tiffinfo={262: 0})
    message = _refusal(path)
    assert "stores white as 0 (L;I)" in message
    stored = run_advice(message, path)
    assert set(np.unique(stored)) == {0, 1, 2, 255} or set(np.unique(stored)) == {0, 253, 254, 255}


def test_cmyk_is_no_mask(tmp_path):
    Image.fromarray(IDS).convert("CMYK").save(tmp_path / "a.tif")
    assert "is an image of mode CMYK, not a mask of class ids" in _refusal(tmp_path / "a.tif")
