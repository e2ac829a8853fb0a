"""Image files: decoding within a limit of size, EXIF orientation, and photos as RGB pixels."""

import dataclasses
import functools
import math
import pathlib
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from symmflow_jax.data.source import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
"""Suffixes of image files; upper and lower case are equal."""

# Pillow's own bound is one for all pictures of a program; `Decoding` has one for each call.
Image.MAX_IMAGE_PIXELS = None

# Other formats of Pillow are no photos or masks, and it would run Ghostscript for one of them.
_FORMATS = ("PNG", "JPEG", "BMP", "DIB", "WEBP", "TIFF", "GIF", "PPM", "JPEG2000", "AVIF")

_AS_STORED = 1  # The EXIF orientation of a picture that is not turned.
_ORIENTATIONS = range(1, 9)
# Orientations that exchange width and height.
_QUARTER_TURNS = (5, 6, 7, 8)
# Pillow turns a TIFF while it decodes; these bring its raw pixels back.
_INVERSE_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@dataclasses.dataclass(frozen=True)
class Decoding:
    """How image files are decoded.

    Attributes:
        max_megapixels: largest number of pixels of a file, in millions; larger ones are refused
            before they are decoded.
        applies_exif: True if pictures are turned by their EXIF orientation, False if they stay
            as their pixels are stored.
    """

    max_megapixels: float = 179.0
    applies_exif: bool = True


DEFAULT = Decoding()


@dataclasses.dataclass(frozen=True)
class Header:
    """What a file says about its picture.

    Attributes:
        format: Pillow's name of the file's format, such as "JPEG", whatever its suffix is.
        mode: Pillow's mode of the decoded picture, such as "RGB".
        storage: Pillow's name of the stored pixels, such as "L;4" for 4 bits, or "".
        width: width of the stored pixels.
        height: height of the stored pixels.
        orientation: the EXIF orientation, 1 to 8; 1 if there is none.
        is_lossy: True if compression may have changed the pixels.
    """

    format: str
    mode: str
    storage: str
    width: int
    height: int
    orientation: int
    is_lossy: bool

    def size(self, applies_exif: bool) -> tuple[int, int]:
        """Width and height, of the turned picture or of the raw pixels."""
        if applies_exif and self.orientation in _QUARTER_TURNS:
            return self.height, self.width
        return self.width, self.height


class Decoded(NamedTuple):
    """A decoded picture, and what its file says about it."""

    picture: Image.Image
    header: Header


def open_image(path: str | pathlib.Path, decoding: Decoding = DEFAULT) -> Image.Image:
    """Decodes a file to an RGB Pillow image, rotated by its EXIF orientation.

    Grey, palette and CMYK images become RGB, 16 bits become 8 bits, and transparent pixels are
    composed over black. The result is a Pillow image and not an array, because it is cropped and
    resized later: a conversion to an array and back takes half as long as the decoding.

    Args:
        path: the file.
        decoding: limit of the size, and whether EXIF orientations count.

    Raises:
        DataError: if the file does not exist, cannot be decoded completely, is too large, has
            several pages, or has pixels of 32 bits, whose brightest value is unknown.
    """
    return to_rgb(decode(path, decoding), path)


def read_image(path: str | pathlib.Path, decoding: Decoding = DEFAULT) -> np.ndarray:
    """Pixels of `open_image`, uint8 `[height, width, 3]`; raises DataError like `open_image`."""
    return np.asarray(open_image(path, decoding))


def decode(path: str | pathlib.Path, decoding: Decoding = DEFAULT) -> Decoded:
    """Decodes a file to a Pillow image of any mode.

    Raises:
        DataError: if the file does not exist, cannot be decoded completely, is too large, or has
            several pages or frames.
    """
    try:
        # Pillow would map a path to memory, and scramble an uncompressed TIFF of a quarter turn.
        with open(path, "rb") as file, Image.open(file, formats=_formats()) as picture:
            _check_size(path, picture, decoding)
            _check_pages(path, picture)
            return _load(file, picture, decoding)
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist (any more).") from error
    except UnidentifiedImageError as error:
        raise DataError(
            f"{path} cannot be read as an image (it is none of {', '.join(_formats())}). Replace "
            "the file or remove it."
        ) from error
    # Pillow's decoders meet damaged files with nearly every kind of error.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise DataError(
            f"{path} cannot be read as an image ({reason}). Replace the file or remove it."
        ) from error


@functools.cache
def _formats() -> tuple[str, ...]:
    """The formats that are read, of those that this Pillow knows."""
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def to_rgb(decoded: Decoded, path: str | pathlib.Path) -> Image.Image:
    """The picture in RGB, as of `open_image`; raises DataError for pixels of 32 bits."""
    picture, header = decoded
    # Pillow brings the 16 bits of a PGM to the full range of 16 bits in this mode.
    if header.mode == "F" or (header.mode == "I" and header.format != "PPM"):
        raise DataError(
            f"{path} has pixels of 32 bits (mode {header.mode}), whose brightest value is not "
            "known. Save it with 8 or 16 bits for each channel."
        )
    if picture.mode.startswith("I"):
        brightest = 4095 if header.storage == "I;12" else 65535
        levels = np.clip(np.asarray(picture).astype(np.float64), 0, brightest) * (255 / brightest)
        picture = Image.fromarray(np.rint(levels).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
        picture = Image.alpha_composite(black, picture)
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _check_size(path: str | pathlib.Path, picture: Image.Image, decoding: Decoding) -> None:
    megapixels = picture.width * picture.height / 1e6
    if megapixels > decoding.max_megapixels:
        raise DataError(
            f"{path} has {picture.width}x{picture.height} pixels ({megapixels:.1f} megapixels), "
            f"more than the limit of {decoding.max_megapixels:g}. Scale it down; for the files "
            f"of a data set, --config.data.max_megapixels={math.ceil(megapixels)} raises the limit."
        )


def _check_pages(path: str | pathlib.Path, picture: Image.Image) -> None:
    pages = getattr(picture, "n_frames", 1)
    # Cameras add a preview to a JPEG, which is then of the format MPO.
    if pages > 1 and picture.format != "MPO":
        raise DataError(
            f"{path} has {pages} pages or frames, of which only the first would be read. Save "
            "each in a file of its own."
        )


def _load(file: BinaryIO, picture: Image.Image, decoding: Decoding) -> Decoded:
    """Decodes the pixels of an open file and turns them."""
    kind, storage = picture.format or "", _storage(picture)
    width, height = picture.size
    turned = kind == "TIFF"  # Pillow turns it, and gives its turned size.
    orientation = _orientation(picture) if turned else _AS_STORED
    if turned and orientation in _QUARTER_TURNS:
        width, height = height, width
    picture.load()
    if not turned:
        orientation = _orientation(picture)  # A PNG may have it after the pixels.
    if turned and not decoding.applies_exif and orientation in _INVERSE_TURNS:
        picture = picture.transpose(_INVERSE_TURNS[orientation])
    elif not turned and decoding.applies_exif:
        ImageOps.exif_transpose(picture, in_place=True)
    lossy = _is_lossy(file, picture, kind)
    return Decoded(picture, Header(kind, picture.mode, storage, width, height, orientation, lossy))


def _orientation(picture: Image.Image) -> int:
    value = picture.getexif().get(ExifTags.Base.Orientation, _AS_STORED)
    return value if value in _ORIENTATIONS else _AS_STORED


def _storage(picture: Image.Image) -> str:
    """Pillow's name of the stored pixels, which is known until they are decoded."""
    tiles = getattr(picture, "tile", None) or [None]
    arguments = getattr(tiles[0], "args", "")
    names = (arguments,) if isinstance(arguments, str) else arguments or ()
    return next((name for name in names if isinstance(name, str)), "")


_LOSSLESS = ("PNG", "BMP", "DIB", "GIF", "PPM")
_LOSSY_IN_TIFF = ("jpeg", "tiff_jpeg", "webp")


def _is_lossy(file: BinaryIO, picture: Image.Image, kind: str) -> bool:
    if kind == "TIFF":
        return picture.info.get("compression") in _LOSSY_IN_TIFF
    if kind == "WEBP":
        return not _is_lossless_webp(file)
    return kind not in _LOSSLESS


def _is_lossless_webp(file: BinaryIO) -> bool:
    """Whether the chunk of the pixels is "VP8L" (lossless) and not "VP8 "."""
    file.seek(12)
    while len(head := file.read(8)) == 8:
        if head[:4] in (b"VP8L", b"VP8 "):
            return head[:4] == b"VP8L"
        size = int.from_bytes(head[4:], "little")
        file.seek(size + size % 2, 1)
    return False
