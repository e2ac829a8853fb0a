"""Masks of class ids, read exactly; files that hold something else are told with their remedy."""

import pathlib
from collections.abc import Collection

import numpy as np

from symmflow_jax.data.decoding.decoding import DEFAULT, Decoded, Decoding, decode
from symmflow_jax.data.decoding.header import Header
from symmflow_jax.data.masks import rewriting
from symmflow_jax.data.source import DataError

# Pillow scales the 2 or 4 bits of a grey file to 8 bits: ids are multiples of these.
_SCALES = {"L;2": 85, "L;4": 17}
_ADVICE = "Save the id of each pixel in a PNG with one channel of 8 or 16 bits, or with a palette"
_OR_COLOURS = "; or set config.data.class_colours to the colour of each class"
_RGB_NUMBERS = "ids[..., :3] @ [1, 256, 65536]"
_NUM_PER_CLASS = 1000


def read_mask(
    path: str | pathlib.Path, decoding: Decoding = DEFAULT, *, classes_are_fixed: bool = False
) -> np.ndarray:
    """Reads the ids of a mask, `[height, width]`, rotated by its EXIF orientation.

    The file has one channel: grey with 1 to 32 bits, whole numbers as floats, or a palette. Ids of
    a palette file are the indices, not the colours. Files with more channels are read if their
    meaning is certain: all colours equal (grey saved as RGB), and nothing transparent.

    Args:
        path: the file.
        decoding: limit of the size, and whether EXIF orientations count.
        classes_are_fixed: True if no key of the config changes the classes, as of a trained model.

    Returns:
        uint8 if the file has 8 bits, otherwise int32.

    Raises:
        DataError: if the file cannot be decoded completely (see `decode`), was compressed with
            loss whatever its name says, or does not hold ids. The message names the remedy.
    """
    return ids_of(decode(path, decoding), path, classes_are_fixed=classes_are_fixed)


def ids_of(
    decoded: Decoded,
    path: str | pathlib.Path,
    known: Collection[int] = (),
    *,
    classes_are_fixed: bool = False,
) -> np.ndarray:
    """The ids of a decoded mask; see `read_mask`.

    Args:
        decoded: the mask.
        path: its file, for errors.
        known: ids of the classes, if they are known; they tell what a coloured mask may be.
        classes_are_fixed: as in `read_mask`.
    """
    picture, header = decoded
    path = pathlib.Path(path)
    refuse_lossy(header, path)
    _refuse_wide_channels(header, path)
    _refuse_white_as_zero(header, path)
    pixels = np.asarray(picture)
    if header.storage in _SCALES:
        return pixels // np.uint8(_SCALES[header.storage])
    if header.mode in ("1", "L", "P") or header.mode.startswith("I"):
        return pixels if pixels.dtype == np.uint8 else pixels.astype(np.int32)
    if header.mode == "F":
        return _whole_numbers(pixels, path)
    if header.mode in ("LA", "La", "PA"):
        return _grey(pixels, header, path)
    if header.mode in ("RGB", "RGBA", "RGBX"):
        return _grey_of_colours(pixels, header, path, known, classes_are_fixed)
    raise DataError(
        f"{path} is an image of mode {header.mode}, not a mask of class ids. "
        f"{_advice(classes_are_fixed)}"
    )


def _advice(classes_are_fixed: bool) -> str:
    return f"{_ADVICE}{'' if classes_are_fixed else _OR_COLOURS}."


def refuse_lossy(header: Header, path: str | pathlib.Path) -> None:
    """Raises DataError if compression may have changed the pixels of a mask."""
    if header.is_lossy:
        kind = {"MPO": "JPEG", "WEBP": "lossy WebP", "TIFF": "TIFF compressed as JPEG"}
        raise DataError(
            f"{path} is a {kind.get(header.format, header.format)} by its content, whose "
            "compression changes ids. Make the mask again and save it as PNG; to convert this file "
            "is not enough."
        )


def conversion(path: pathlib.Path, change: str) -> str:
    """The end of a sentence: the command that writes the masks of a file's folder as ids.

    Args:
        path: a mask.
        change: Python expression of the pixels `ids`.
    """
    folder = path.parent
    return f"write ids to {folder.name}_ids beside {folder.name}: {rewriting.line(folder, change)}"


def _refuse_wide_channels(header: Header, path: pathlib.Path) -> None:
    if ";16" in header.storage and not header.mode.startswith("I"):
        raise DataError(
            f"{path} has several channels of 16 bits ({header.storage}), of which only the upper "
            "8 bits would be read. Save the id of each pixel in a PNG with one channel."
        )


def _refuse_white_as_zero(header: Header, path: pathlib.Path) -> None:
    kind, _, details = header.storage.partition(";")
    if kind in ("1", "L") and "I" in details:
        change = {"1": "1 - ids", "4": "15 - ids // 17", "2": "3 - ids // 85"}
        raise DataError(
            f"{path} stores white as 0 ({header.storage}), and it is not certain if its ids are "
            "the stored numbers. If they are, "
            + conversion(path, change.get(kind if kind == "1" else details[0], "255 - ids"))
        )


def _whole_numbers(pixels: np.ndarray, path: pathlib.Path) -> np.ndarray:
    """Ids that were saved as floats, int32."""
    broken = pixels[~((pixels == np.rint(pixels)) & (np.abs(pixels) < 2**31))]
    if not len(broken):
        return pixels.astype(np.int32)
    start = f"{path} holds the float {broken[0]:g}, which is no id."
    levels = pixels * 255
    if pixels.min() >= 0 and pixels.max() <= 1 and np.allclose(levels, np.rint(levels), atol=1e-3):
        raise DataError(
            f"{start} All its numbers are ids divided by 255; "
            + conversion(path, "np.rint(ids * 255)")
        )
    raise DataError(f"{start} Save whole numbers, in a PNG with one channel of 8 or 16 bits.")


def _grey(pixels: np.ndarray, header: Header, path: pathlib.Path) -> np.ndarray:
    """The first channel, if the last one, alpha, says nothing."""
    alpha = pixels[..., -1]
    if alpha.min(initial=255) < 255:
        raise DataError(
            f"{path} has grey values and transparency (mode {header.mode}, alpha down to "
            f"{alpha.min()}). If the grey values are the ids, {conversion(path, 'ids[..., 0]')}"
        )
    return np.ascontiguousarray(pixels[..., 0])


def _grey_of_colours(
    pixels: np.ndarray,
    header: Header,
    path: pathlib.Path,
    known: Collection[int],
    classes_are_fixed: bool,
) -> np.ndarray:
    red, green, blue = (pixels[..., channel] for channel in range(3))
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return _grey(pixels, header, path) if header.mode == "RGBA" else np.ascontiguousarray(red)
    colours = np.unique(pixels[..., :3].reshape(-1, 3), axis=0)
    numbers = set((colours @ np.array([1, 256, 65536])).tolist())
    first = "".join(f"{level:02x}" for level in colours[-1])
    start = (
        f"{path} is an image of mode {header.mode} with {len(colours)} colours, such as #{first}, "
        "not a mask of class ids."
    )
    annotations = path.parent.with_name(f"{path.parent.name}.json")
    if annotations.exists():
        remedy = (
            f"If {annotations.name} names the classes of its segments (COCO panoptic): "
            + rewriting.panoptic_line(path.parent, annotations)
        )
    elif is_instance_ids(numbers, known):
        change = f"np.where((n := {_RGB_NUMBERS}) >= 1000, n // 1000, n)"
        remedy = f"Its colours code class * 1000 + n; {conversion(path, change)}"
    elif not green.any() and not blue.any():
        change = conversion(path, "ids[..., 0]")
        remedy = (
            f"Only red is used. If red holds the ids, {change}"
            if classes_are_fixed
            else "Only red is used. Set config.data.class_colours to the colour of each class; or, "
            f"if red holds the ids, {change}"
        )
    else:
        remedy = _advice(classes_are_fixed)
    raise DataError(f"{start} {remedy}")


def is_instance_ids(found: Collection[int], known: Collection[int]) -> bool:
    """Whether numbers are ids of classes, or class * 1000 + n with a small n.

    Args:
        found: the numbers of a mask.
        known: ids of the classes.
    """
    most = 250  # Numbers of any size, such as depths, have larger rests too.
    return any(number >= _NUM_PER_CLASS for number in found) and all(
        number in known
        or (
            number >= _NUM_PER_CLASS
            and number // _NUM_PER_CLASS in known
            and number % _NUM_PER_CLASS < most
        )
        for number in found
    )
