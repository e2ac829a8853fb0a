"""Images as users have them: files, folders, Pillow images and arrays of any size."""

import dataclasses
import difflib
import logging
import os
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from PIL import ExifTags, Image

from symmflow_jax.data.decoding.decoding import Decoded
from symmflow_jax.data.decoding.header import AS_STORED, Header
from symmflow_jax.data.decoding.image_files import to_rgb
from symmflow_jax.data.photos.reader import PhotoReader
from symmflow_jax.data.source import DataError
from symmflow_jax.inference.files.inputs import image_paths
from symmflow_jax.inference.files.made import Made
from symmflow_jax.runtime import paths
from symmflow_jax.runtime.errors import first_line, shown, shown_value
from symmflow_jax.runtime.storage import place

_logger = logging.getLogger(__name__)

T = TypeVar("T")
_COLOUR_OR_GREY = (1, 3)
PICTURES = PhotoReader()
"""Reads 8-bit pictures."""


@dataclasses.dataclass(frozen=True)
class Given(Generic[T]):
    """What a user has given.

    Attributes:
        items: the single images, masks or labels, in the order in which they were given.
        is_one: True for one of them, False for several; results come back likewise.
    """

    items: Sequence[T]
    is_one: bool

    def as_given(self, results: list) -> Any:
        """One result for one item, all of them for several."""
        return results[0] if self.is_one else results

    def for_each(self, count: int, noun: str, name: str) -> list[T]:
        """What goes with each of several others: the one for all of them, or one for each.

        Args:
            count: number of the others.
            noun: what they are called in messages, such as "images".
            name: what this is called in messages.

        Raises:
            ValueError: if there are several items, but another number of them.
        """
        if self.is_one:
            return [self.items[0]] * count
        if len(self.items) != count:
            raise ValueError(
                f"There are {count} {noun} but {len(self.items)} {name}; give one for all {noun}, "
                "or one for each."
            )
        return list(self.items)


@dataclasses.dataclass(frozen=True, eq=False)
class GivenImage:
    """One image, which is read when it is needed.

    Attributes:
        source: a file, a Pillow image, or an array `[height, width, channels]`.
        name: what it is called in messages, such as "images[2]".
        photos: reads a file, and shows an image, as in the training.
    """

    source: pathlib.Path | Image.Image | np.ndarray
    name: str
    photos: PhotoReader

    @property
    def path(self) -> pathlib.Path | None:
        """The file, if it is one."""
        return self.source if isinstance(self.source, pathlib.Path) else None

    def pixels(self) -> np.ndarray:
        """uint8 `[height, width, channels]`, or a signal, float32 in [-1, 1].

        A file is turned by its EXIF orientation; a Pillow image is taken as it is.

        Raises:
            DataError: if the image cannot be read.
        """
        if isinstance(self.source, np.ndarray):
            return self.source
        if isinstance(self.source, pathlib.Path):
            return self.photos.read(self.source)
        return np.asarray(to_rgb(decoded(self.source, self.name), self.name))

    def picture(self) -> np.ndarray:
        """What is shown of the image, uint8 `[height, width, 1 or 3]`."""
        return self.photos.picture(self.pixels())


def given_images(images: Any, channels: int, photos: PhotoReader = PICTURES) -> Given[GivenImage]:
    """The images that a user has given.

    One image is a file, a Pillow image, or an array `[height, width]` or `[height, width,
    channels]`. Several are a folder, an array `[batch, height, width, channels]`, or a list or
    another iterable of single ones. Arrays are uint8, or float in [-1, 1], which is rounded to 8
    bits, unless the model reads signals.

    Args:
        images: as above.
        channels: channels of the model. Arrays have as many, or 1 or 3.
        photos: reads files as the training of the model did.

    Raises:
        DataError: if there is no image, or a file or folder is missing.
        ValueError: if an array has another shape, dtype or range, or the images are of another
            type.
    """
    if is_place(images):
        path = local_path(images, "images")
        found = image_paths(str(path), Made.IMAGE, "images")
        files = [GivenImage(file, file.name, photos) for file in found]
        return Given(files, is_one=path.is_file())
    if isinstance(images, Image.Image):
        return Given([_of_picture(images, "The image", photos)], is_one=True)
    single, is_one = single_ones(images, "image", lambda array: array.ndim < 4, "a uint8 array")
    _check_floats([image for image, _ in single if is_array(image)])
    return Given([_single(image, name, channels, photos) for image, name in single], is_one)


def single_ones(
    given: Any, noun: str, is_one: Callable[[np.ndarray], bool], arrays: str
) -> tuple[list[tuple[Any, str]], bool]:
    """The parts of an array or a list, each with its name in messages; and if it is only one.

    Args:
        given: neither a file nor a Pillow image.
        noun: what a part is, such as "image".
        is_one: whether an array is a single one.
        arrays: the arrays that are taken, for the message.

    Raises:
        DataError: if there is no part.
        ValueError: if it is neither an array nor a list.
    """
    if is_array(given):
        array = np.asarray(given)
        if is_one(array):
            return [(array, f"The {noun}")], True
        single = list(array)
    elif isinstance(given, Iterable):
        single = list(given)
    else:
        raise ValueError(
            f"The {noun}s are {shown_value(given)}; give a file, a folder, a Pillow image, "
            f"{arrays}, or a list of these."
        )
    if not single:
        raise DataError(f"There is no {noun}; give at least one.")
    return [(one, f"{noun}s[{number}]") for number, one in enumerate(single)], False


def is_place(value: Any) -> bool:
    """True for what names a file or folder."""
    return isinstance(value, str | os.PathLike)


def local_path(value: Any, name: str) -> pathlib.Path:
    """The path of a file or folder on a disk; `~` and `$VARIABLES` are expanded.

    Raises:
        DataError: if it does not exist; the message names a similar one beside it.
        ValueError: for a place in a bucket, or a variable that is not set.
    """
    text = paths.expand(os.fspath(value), name)
    path = place.local(text, name, "Copy the files to a disk, and give their folder there.")
    if path.exists():
        return path
    beside = sorted(other.name for other in path.parent.iterdir()) if path.parent.is_dir() else []
    similar = difflib.get_close_matches(path.name, beside, n=1)
    meant = f" Did you mean {shown(path.with_name(similar[0]))!r}?" if similar else ""
    raise DataError(f"{name} is {shown(path)!r}, which does not exist.{meant}")


def is_array(value: Any) -> bool:
    """True for an array of NumPy, JAX or another library, but no Pillow image."""
    return hasattr(value, "__array__") and not isinstance(value, Image.Image)


def _single(image: Any, name: str, channels: int, photos: PhotoReader) -> GivenImage:
    if is_place(image):
        path = local_path(image, name)
        if not path.is_file():
            raise DataError(
                f"{name} is {shown_value(str(path))}, which is no file. A folder is given alone, "
                "and not in a list."
            )
        return GivenImage(path, path.name, photos)
    if isinstance(image, Image.Image):
        return _of_picture(image, name, photos)
    if not is_array(image):
        raise ValueError(
            f"{name} is {shown_value(image)}; give a file, a Pillow image, or a uint8 array."
        )
    array = _with_channels(np.asarray(image), name, channels)
    if photos.has_signals and np.issubdtype(array.dtype, np.floating):
        return GivenImage(array.astype(np.float32), name, photos)
    return GivenImage(_as_pixels(array), name, photos)


def _with_channels(array: np.ndarray, name: str, channels: int) -> np.ndarray:
    """An array `[height, width, channels]` with 1 or 3 channels, or as many as the model has."""
    known = sorted({*_COLOUR_OR_GREY, channels})
    start = f"{name} has shape {array.shape}"
    if array.ndim == 2 and array.size:
        return array[..., None]
    if array.ndim == 3 and array.size and array.shape[-1] in known:
        return array
    remedy = f"give [height, width, channels] with {' or '.join(map(str, known))} channels."
    if not array.size:
        remedy = "give at least one pixel."
    elif array.ndim == 3 and array.shape[0] in known:
        remedy = "channels come last: np.moveaxis(image, 0, -1)."
    elif array.ndim == 3 and array.shape[-1] == 4:
        remedy = "leave out the transparency: image[..., :3]."
    elif array.ndim == 3:
        remedy += " Several grey images are a list of arrays [height, width]."
    raise ValueError(f"{start}; {remedy}")


def _check_floats(arrays: Sequence[Any]) -> None:
    """Raises a ValueError unless all float arrays together lie in [-1, 1] and use it."""
    floats = [a for a in map(np.asarray, arrays) if np.issubdtype(a.dtype, np.floating) and a.size]
    if floats:
        low, high = min(float(a.min()) for a in floats), max(float(a.max()) for a in floats)
        fault = _float_fault(low, high)
        if fault:
            raise ValueError(fault)


def _float_fault(low: float, high: float) -> str:
    """What is wrong with float images of a range; "" if nothing is."""
    start = f"Float images range from {low:g} to {high:g}"
    if not (low >= -1.0 and high <= 1.0):
        return (
            f"{start}; they must lie in [-1, 1]. 8-bit values become that by x / 127.5 - 1, or "
            "give them as uint8."
        )
    if low >= 0.0:
        # Most libraries have images in [0, 1], which would pass for pale ones.
        return (
            f"{start}, so that nothing tells if black is 0 or -1. Give uint8: if black is 0, by "
            "(255 * x).round().astype(np.uint8), else by (127.5 * (x + 1)).round()"
            ".astype(np.uint8)."
        )
    return ""


def _as_pixels(array: np.ndarray) -> np.ndarray:
    """An array as uint8; floats are in [-1, 1]."""
    if array.dtype == np.uint8:
        return array
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(
            f"Images are {array.dtype}; give uint8, or float in [-1, 1]. 16-bit levels become "
            "uint8 by (x // 257).astype(np.uint8)."
        )
    return np.rint((array.astype(np.float32) + 1.0) * 127.5).astype(np.uint8)


def _of_picture(picture: Image.Image, name: str, photos: PhotoReader) -> GivenImage:
    try:
        # A PNG is decoded for it.
        turns = picture.getexif().get(ExifTags.Base.Orientation, AS_STORED)
    except Exception as error:
        raise _damaged(name, error) from error
    if turns not in (AS_STORED, 0):
        _logger.warning(
            "%s has the EXIF orientation %s, which a Pillow image is not turned by; "
            "PIL.ImageOps.exif_transpose(image) turns it, and so does giving the file.",
            name, turns,
        )  # fmt: skip
    return GivenImage(picture, name, photos)


def decoded(picture: Image.Image, name: str) -> Decoded:
    """A Pillow image as one that was decoded from a file.

    Raises:
        DataError: if its file cannot be decoded.
    """
    try:
        picture.load()
    # Pillow's decoders meet damaged files with nearly every kind of error.
    except Exception as error:
        raise _damaged(name, error) from error
    header = Header(
        format=picture.format or "PNG",
        mode=picture.mode,
        storage="",
        width=picture.width,
        height=picture.height,
        orientation=AS_STORED,
        is_lossy=False,
    )
    return Decoded(picture, header)


def _damaged(name: str, error: Exception) -> DataError:
    return DataError(f"{name} cannot be read ({first_line(error)}).")
