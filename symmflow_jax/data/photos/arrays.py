"""Image files as arrays of their own numbers, without conversion of colours or depth."""

import io
import pathlib
from typing import Any, NamedTuple

import numpy as np

from symmflow_jax.data.decoding.decoding import (
    Decoded,
    Decoding,
    check_megapixels,
    decode_content,
)
from symmflow_jax.data.decoding.header import AS_STORED, QUARTER_TURNS, Header
from symmflow_jax.data.packages import package
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.errors import first_line

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # Classic and Big TIFF, of either byte order.
_PNG, _GREY = b"\x89PNG\r\n\x1a\n", 0
_ORIENTATION = 274  # Number of the tag.
_KEPT = ("L", "LA", "RGB", "RGBA")


class Raster(NamedTuple):
    """The numbers of an image file.

    Attributes:
        values: `[height, width, channels]` of any type.
        own_range: lowest and highest number of the file's type; None if they mean nothing, as of
            floats.
        header: what the file says.
    """

    values: np.ndarray
    own_range: tuple[float, float] | None
    header: Header


def read_raster(content: bytes, name: str | pathlib.Path, decoding: Decoding) -> Raster:
    """The numbers of an image file.

    Palettes, CMYK and YCbCr become RGB; anything else stays as it is.

    Args:
        content: the bytes of the file.
        name: what it is called in messages.
        decoding: limit of the size, and whether EXIF orientations count.

    Raises:
        DataError: as `decode`; or if the file needs a package that is not installed.
    """
    if content[:4] in _TIFF:
        return _tiff(content, name, decoding)
    if content[:8] == _PNG and len(content) > 25 and content[24] == 16 and content[25] != _GREY:
        return _deep_png(content, name, decoding)
    return _of_picture(decode_content(content, name, decoding))


def _of_picture(decoded: Decoded) -> Raster:
    """The numbers of a picture of Pillow."""
    picture, header = decoded
    if picture.mode.startswith("I"):
        brightest = 4095 if header.storage == "I;12" else 65535
        values = np.asarray(picture).astype(np.int64)
        if values.min(initial=0) < 0 or values.max(initial=0) > brightest:
            return Raster(values[..., None], None, header)
        return Raster(values.astype(np.uint16)[..., None], (0.0, brightest), header)
    if picture.mode == "F":
        return Raster(np.asarray(picture)[..., None], None, header)
    if picture.mode == "1":
        picture = picture.convert("L")
    elif picture.mode not in _KEPT:
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    values = np.asarray(picture)
    return Raster(values.reshape(*values.shape[:2], -1), (0.0, 255.0), header)


def _deep_png(content: bytes, name: str | pathlib.Path, decoding: Decoding) -> Raster:
    """The numbers of a PNG of 16 bits and several channels, which Pillow cuts to 8 bits."""
    # Pillow looks at the header, the orientation and the checksums.
    header = decode_content(content, name, decoding).header
    codecs = package("imagecodecs", "tiff", f"{name}, a PNG of 16 bits and several channels,")
    values = codecs.png_decode(content)
    turned = _turned(values, header.orientation) if decoding.applies_exif else values
    return Raster(turned, (0.0, 65535.0), header)


def _tiff(content: bytes, name: str | pathlib.Path, decoding: Decoding) -> Raster:
    tifffile = package("tifffile", "tiff", f"{name}, a TIFF,")
    try:
        with tifffile.TiffFile(io.BytesIO(content)) as file:
            page = file.pages[0]
            check_megapixels(name, page.imagewidth, page.imagelength, decoding)
            if page.photometric.name in ("PALETTE", "SEPARATED", "YCBCR", "CIELAB"):
                return _of_picture(decode_content(content, name, decoding))
            series = [one for one in file.series if not one.keyframe.is_reduced]
            if len(series) != 1:
                raise DataError(
                    f"{name} has {len(series)} images of different shapes; save each in a file "
                    "of its own."
                )
            values = _channels_last(series[0].asarray(), series[0].axes, name)
            bits = page.bitspersample
            if page.photometric.name == "MINISWHITE" and values.dtype.kind == "u":
                values = (2**bits - 1) - values
            tag = page.tags.get(_ORIENTATION)
            orientation = int(tag.value) if tag is not None else AS_STORED
    except DataError:
        raise
    except ModuleNotFoundError as error:  # tifffile asks for imagecodecs where it needs it.
        raise DataError(f"{name}: {first_line(error)}. {_INSTALL}") from error
    except Exception as error:  # Damaged files may raise any error.
        advice = f" {_INSTALL}" if "imagecodecs" in str(error) else " Replace it or remove it."
        reason = f"{name} cannot be read as a TIFF ({first_line(error)}).{advice}"
        raise DataError(reason) from error
    return _raster(values, bits, orientation, page, decoding)


_INSTALL = "Run: pip install 'symmflow_jax[tiff]'"


def _raster(
    values: np.ndarray, bits: int, orientation: int, page: Any, decoding: Decoding
) -> Raster:
    if values.dtype == bool:
        values, bits = values.astype(np.uint8), 1
    own_range = (0.0, 2.0**bits - 1) if values.dtype.kind == "u" and bits <= 16 else None
    orientation = orientation if orientation in range(1, 9) else AS_STORED
    height, width = page.imagelength, page.imagewidth
    header = Header("TIFF", str(values.dtype), "", width, height, orientation, is_lossy=False)
    turned = _turned(values, orientation) if decoding.applies_exif else values
    return Raster(turned, own_range, header)


def _channels_last(values: np.ndarray, axes: str, name: str | pathlib.Path) -> np.ndarray:
    """An array `[height, width, channels]`; raises DataError for one with more axes.

    Axes of tifffile: Y and X are of the picture; S samples, C channels, and I or Q pages without a
    meaning of their own, which are one channel each.
    """
    while values.ndim > 2 and 1 in values.shape:
        place = next((i for i, (n, axis) in enumerate(zip(values.shape, axes, strict=True))
                      if n == 1 and axis not in "YX"), None)  # fmt: skip
        if place is None:
            break
        values, axes = values.squeeze(place), axes[:place] + axes[place + 1 :]
    others = [axis for axis in axes if axis not in "YX"]
    if len(others) > 1 or any(axis not in "SCIQ" for axis in others):
        shape = ", ".join(f"{axis} {n}" for axis, n in zip(axes, values.shape, strict=True))
        raise DataError(
            f"{name} has more axes than height, width and channels ({shape}); save each picture "
            "in a file of its own."
        )
    if not others:
        return values[..., None]
    return np.moveaxis(values, axes.index(others[0]), -1)


def _turned(values: np.ndarray, orientation: int) -> np.ndarray:
    """The pixels `[height, width, c]` turned by an EXIF orientation (EXIF 2.32, tag 274)."""
    if orientation in QUARTER_TURNS:
        values = values.swapaxes(0, 1)
    rows, columns = _REVERSED.get(orientation, (False, False))
    return np.ascontiguousarray(values[:: -1 if rows else 1, :: -1 if columns else 1])


# Whether rows and columns are reversed, after the exchange of both for the quarter turns.
_REVERSED = {
    2: (False, True), 3: (True, True), 4: (True, False),
    6: (False, True), 7: (True, True), 8: (True, False),
}  # fmt: skip
