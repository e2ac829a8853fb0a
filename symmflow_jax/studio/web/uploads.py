"""What the browser sends: photos and masks of class ids, within bounds.

Everything is checked here, whatever the page has checked before.
"""

import base64
import binascii
import dataclasses
import http
import io
import pathlib
import warnings

import numpy as np
from PIL import Image

from symmflow_jax.data.decoding.decoding import Decoding, decode_content
from symmflow_jax.data.decoding.image_files import to_rgb
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.errors import shown
from symmflow_jax.semantics.labels import UNKNOWN, LabelSchema
from symmflow_jax.studio.refusal import Refusal

MOST_BYTES = 32 * 2**20
"""Bytes of one request."""

MOST_MEGAPIXELS = 50.0
"""Pixels of a photo, in millions, before it is decoded."""

_UNKNOWN_ID = 2**16 - 1
"""The id of such a pixel in a mask of the page; no class has this number."""

_SIGNATURES = {"PNG": b"\x89PNG\r\n\x1a\n", "JPEG": b"\xff\xd8\xff", "WEBP": b"RIFF"}
_MOST_LETTERS = 80


@dataclasses.dataclass(frozen=True)
class Photo:
    """A photo as the page shows it.

    Attributes:
        name: name of its file, for the user alone; no path.
        pixels: uint8 `[height, width, 3]`.
        content: the pixels as PNG.
        note: a sentence for the user if the photo was changed; "" otherwise.
    """

    name: str
    pixels: np.ndarray
    content: bytes
    note: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.pixels.shape[0], self.pixels.shape[1]


def read_photo(content: bytes, name: str, longest_side: int) -> Photo:
    """Decodes an uploaded photo; one that is larger than `longest_side` is made smaller.

    Args:
        content: the bytes of a PNG, a JPEG or a WebP.
        name: what the browser calls the file.
        longest_side: most pixels of a row or a column.

    Raises:
        Refusal: if it is no such file, is damaged, has several frames, or has more than
            `MOST_MEGAPIXELS`, which is known before it is decoded.
    """
    name = shown_name(name)
    _check_kind(content, name)
    _check_size(content, name)
    try:
        decoding = Decoding(max_megapixels=MOST_MEGAPIXELS)
        picture = to_rgb(decode_content(content, name, decoding), name)
    except DataError as error:
        raise Refusal(str(error)) from error
    width, height = picture.size
    note = ""
    if max(picture.size) > longest_side:
        picture.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
        note = (
            f"The photo of {width}x{height} pixels was made smaller, to "
            f"{picture.width}x{picture.height}; --longest_side of the command sets the bound."
        )
    pixels = np.asarray(picture)
    return Photo(name, pixels, as_png(pixels), note)


def read_ids(text: object, size: tuple[int, int], schema: LabelSchema, unknown: bool) -> np.ndarray:
    """Decodes a mask of the page: classes int32 `[height, width]`, `UNKNOWN` where erased.

    Args:
        text: a grey PNG of 8 or 16 bits in Base64, whose pixels are numbers of classes.
        size: height and width that it must have.
        schema: the classes.
        unknown: whether pixels may be without a class.

    Raises:
        Refusal: if it is no such PNG, has another size, or holds other numbers.
    """
    numbers = _read_grey(text, size, "The mask").astype(np.int32)
    numbers[numbers == _UNKNOWN_ID] = UNKNOWN
    allowed = range(UNKNOWN if unknown else 0, schema.num_classes)
    others = sorted(set(np.unique(numbers).tolist()) - set(allowed))
    if others:
        first = "pixels without a class" if others[0] == UNKNOWN else f"the number {others[0]}"
        raise Refusal(
            f"The mask has {first}; the classes are 0 to {schema.num_classes - 1}. Load the page "
            "again if the model has changed."
        )
    return numbers


def read_region(text: object, size: tuple[int, int]) -> np.ndarray:
    """Decodes a region of the page, bool `[height, width]`: where a grey PNG is not black.

    Raises:
        Refusal: as `read_ids`, and for a region without a pixel.
    """
    region = _read_grey(text, size, "The region") > 0
    if not region.any():
        raise Refusal("The region is empty; paint what is to be made anew.")
    return region


def read_drawing(text: object, longest_side: int) -> np.ndarray:
    """Decodes a drawing of the page, uint8 `[height, width, 3]`.

    Raises:
        Refusal: if it is no grey PNG of at most `longest_side` pixels a side.
    """
    grey = _read_grey(text, (longest_side, longest_side), "The drawing", at_most=True)
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=-1)


def as_png(pixels: np.ndarray) -> bytes:
    """Pixels, uint8 `[height, width]` or `[height, width, 1 or 3]`, as PNG."""
    grey = pixels.ndim == 3 and pixels.shape[-1] == 1
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if grey else pixels).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def ids_as_png(classes: np.ndarray) -> bytes:
    """Classes `[height, width]` as `read_ids` takes them, but not in Base64."""
    numbers = np.where(classes == UNKNOWN, _UNKNOWN_ID, classes.astype(np.int32))
    dtype = np.uint8 if numbers.max(initial=0) < 256 else np.uint16
    return as_png(numbers.astype(dtype))


def shown_name(name: str) -> str:
    """The last part of a file's name as text of one line, at most 80 letters."""
    last = pathlib.PureWindowsPath(name.replace("\0", "")).name
    return shown(last)[:_MOST_LETTERS] if last.strip(". ") else "photo"


def _check_kind(content: bytes, name: str) -> None:
    kinds = ", ".join(_SIGNATURES)
    if not content:
        raise Refusal(f"{name} is empty; choose a photo ({kinds}).")
    if not any(content.startswith(signature) for signature in _SIGNATURES.values()):
        raise Refusal(
            f"{name} is no photo of a kind that is taken ({kinds}). Save it as one of these.",
            http.HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        )


def _check_size(content: bytes, name: str) -> None:
    """Raises a Refusal for a picture whose header tells of too many pixels."""
    try:
        with warnings.catch_warnings(action="ignore"):
            picture = Image.open(io.BytesIO(content), formats=tuple(_SIGNATURES))
        width, height = picture.size
    except Exception as error:  # Pillow has many errors for what is no picture.
        raise Refusal(f"{name} cannot be read as a photo. Save it anew as PNG or JPEG.") from error
    if width * height > MOST_MEGAPIXELS * 1e6:
        raise Refusal(
            f"{name} has {width}x{height} pixels ({width * height / 1e6:.0f} megapixels), more "
            f"than the limit of {MOST_MEGAPIXELS:g}. Scale it down.",
            http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        )


def _read_grey(text: object, size: tuple[int, int], what: str, at_most: bool = False) -> np.ndarray:
    """Pixels of a grey PNG in Base64, which must have a size, or be no larger."""
    if not isinstance(text, str):
        raise Refusal(f"{what} is missing; load the page again.")
    try:
        content = base64.b64decode(text, validate=True)
        if not content.startswith(_SIGNATURES["PNG"]):
            raise Refusal(f"{what} is no PNG; load the page again.")
        with warnings.catch_warnings(action="ignore"):
            picture = Image.open(io.BytesIO(content), formats=("PNG",))
        width, height = picture.size
        _check_same(what, (height, width), size, at_most)
        if picture.mode != "L" and not picture.mode.startswith("I"):
            raise Refusal(f"{what} is a PNG of mode {picture.mode}, not grey; load the page again.")
        return np.asarray(picture)
    except Refusal:
        raise
    except (binascii.Error, ValueError) as error:
        raise Refusal(f"{what} is no PNG in Base64; load the page again.") from error
    except Exception as error:  # As above.
        raise Refusal(f"{what} cannot be decoded; load the page again.") from error


def _check_same(what: str, found: tuple[int, int], size: tuple[int, int], at_most: bool) -> None:
    fits = found[0] <= size[0] and found[1] <= size[1] if at_most else found == size
    if not fits:
        bound = "at most " if at_most else ""
        raise Refusal(
            f"{what} has {found[1]}x{found[0]} pixels; it must have {bound}{size[1]}x{size[0]}."
        )
