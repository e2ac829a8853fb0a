"""What an image file says about its picture."""

import dataclasses
from typing import BinaryIO

from PIL import ExifTags, Image

AS_STORED = 1  # The EXIF orientation of a picture that is not turned.
_ORIENTATIONS = range(1, 9)
# Orientations that exchange width and height.
QUARTER_TURNS = (5, 6, 7, 8)


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
        if applies_exif and self.orientation in QUARTER_TURNS:
            return self.height, self.width
        return self.width, self.height


def orientation_of(picture: Image.Image) -> int:
    """The EXIF orientation, 1 to 8."""
    value = picture.getexif().get(ExifTags.Base.Orientation, AS_STORED)
    return value if value in _ORIENTATIONS else AS_STORED


def storage_of(picture: Image.Image) -> str:
    """Pillow's name of the stored pixels, which is known until they are decoded."""
    tiles = getattr(picture, "tile", None) or [None]
    arguments = getattr(tiles[0], "args", "")
    names = (arguments,) if isinstance(arguments, str) else arguments or ()
    return next((name for name in names if isinstance(name, str)), "")


_LOSSLESS = ("PNG", "BMP", "DIB", "GIF", "PPM")
_LOSSY_IN_TIFF = ("jpeg", "tiff_jpeg", "webp")


def is_lossy(file: BinaryIO, picture: Image.Image, kind: str) -> bool:
    """True if the compression of an open file of a format may have changed its pixels."""
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
