"""Decoding: what is damaged, too large or of several pages, and every orientation."""

import os
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image

from symmflow_jax.data.decoding.decoding import Decoding, decode, decode_content
from symmflow_jax.data.decoding.image_files import open_image, read_image
from symmflow_jax.data.source import DataError

HEIGHT, WIDTH = 6, 8


def random_image(seed=0, channels=(3,)):
    rng = np.random.default_rng(seed)
    return rng.integers(256, size=(HEIGHT, WIDTH, *channels), dtype=np.uint8)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.webp"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.9])
def test_truncated_pictures_are_named(tmp_path, name, share):
    noise = np.random.default_rng(0).integers(256, size=(64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match=f"{name} cannot be read as an image .*Replace the file"):
        read_image(tmp_path / name)


@pytest.fixture
def large(tmp_path):
    """A function that writes a PNG whose header tells of many pixels, and which has none."""

    def write(width, height):
        header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        pixels = b"IDAT" + zlib.compress(b"")
        chunks = [
            struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
            for chunk in (header, pixels)
        ]
        (tmp_path / "large.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
        return tmp_path / "large.png"

    return write


def test_pictures_above_the_limit_are_refused_by_their_header(large):
    path = large(20_000, 10_000)
    with pytest.raises(DataError) as error:
        read_image(path)
    assert str(error.value) == (
        f"{path} has 20000x10000 pixels (200.0 megapixels), more than the limit of 179. Scale it "
        "down; for the files of a data set, --config.data.max_megapixels=200 raises the limit."
    )
    with pytest.raises(DataError, match="cannot be read as an image"):
        read_image(large(200, 100), Decoding(max_megapixels=200.0))


def test_pictures_within_the_limit_raise_no_warning_of_pillow(tmp_path):
    Image.new("1", (10_000, 9_000)).save(tmp_path / "a.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode(tmp_path / "a.png").picture.size == (10_000, 9_000)


def test_the_limit_may_be_lower(tmp_path):
    Image.fromarray(random_image()).save(tmp_path / "a.png")
    message = r"8x6 pixels \(0.0 megapixels\), more than the limit of 1e-05"
    with pytest.raises(DataError, match=message):
        open_image(tmp_path / "a.png", Decoding(max_megapixels=1e-5))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "tif", "lzw.tif", "webp"])
def test_every_orientation_is_applied_or_ignored(tmp_path, kind, orientation):
    picture = Image.fromarray(random_image())
    exif = picture.getexif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "expected.png", exif=exif)
    options = {"webp": {"lossless": True}, "lzw.tif": {"compression": "tiff_lzw"}}.get(kind, {})
    path = tmp_path / f"a.{kind}"
    picture.save(path, exif=exif, **options)
    np.testing.assert_array_equal(read_image(path), read_image(tmp_path / "expected.png"))
    raw = Decoding(applies_exif=False)
    np.testing.assert_array_equal(read_image(path, raw), random_image())
    header = decode(path).header
    assert header.orientation == orientation and header.size(False) == (WIDTH, HEIGHT)
    assert header.size(True) == decode(path).picture.size


@pytest.mark.parametrize("suffix", ["tif", "png", "gif", "webp"])
def test_files_of_several_pages_are_refused(tmp_path, suffix):
    pages = [Image.fromarray(random_image(seed)) for seed in range(3)]
    pages[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=pages[1:])
    with pytest.raises(DataError, match=r"has 3 pages or frames, of which only the first would"):
        read_image(tmp_path / f"a.{suffix}")


def test_previews_of_cameras_are_no_pages(tmp_path):
    photo = Image.fromarray(random_image())
    photo.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[photo])
    assert decode(tmp_path / "a.jpg").header.format == "MPO"


@pytest.mark.parametrize("content", [b"", b"no picture", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_other_contents_are_no_images(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(DataError, match=r"a.png cannot be read as an image \(it is none of PNG, J"):
        read_image(tmp_path / "a.png")


def test_a_folder_is_no_image(tmp_path):
    with pytest.raises(DataError, match="is no file, but a folder, a pipe or a device"):
        read_image(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(DataError, match=r"pipe.png is no file, but a folder, a pipe"):
        read_image(tmp_path / "pipe.png")


def test_a_png_whose_pixels_are_damaged_is_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png", compress_level=0)
    content = bytearray((tmp_path / "a.png").read_bytes())
    content[content.index(b"IDAT") + 300] ^= 8  # A stored byte, which decodes all the same.
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(DataError, match="a.png cannot be read as an image"):
        read_image(tmp_path / "a.png")


def test_the_content_of_a_file_is_decoded_like_the_file(tmp_path):
    picture = np.random.default_rng(0).integers(256, size=(5, 7, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    for suffix in (".png", ".jpg", ".tif"):
        path = tmp_path / f"a{suffix}"
        Image.fromarray(picture).save(path, exif=exif)
        for decoding in (Decoding(), Decoding(applies_exif=False)):
            found, expected = (
                decode_content(path.read_bytes(), "b", decoding),
                decode(path, decoding),
            )
            np.testing.assert_array_equal(np.asarray(found.picture), np.asarray(expected.picture))
            assert found.header == expected.header
    with pytest.raises(DataError, match="^b cannot be read as an image"):
        decode_content(b"no picture", "b", Decoding())
