"""What is wrong with arrays of images and labels, and the Python that mends it."""

import dataclasses
import math
import re
from collections.abc import Sequence

import numpy as np

from symmflow_jax.runtime.errors import shown

IMAGES_NEEDED = "8-bit images [n, height, width] or [n, height, width, 3] are needed"
LABELS_NEEDED = "class numbers [n] or [n, 1] from 0 are needed"

TEXT_OF_BYTES = "np.char.decode({})"
"""Python that makes text of an array of bytes."""

LEAST_WHITE = 64
"""Images of 8 bits whose largest value is smaller are probably no images of 8 bits."""

_MOST_CLASSES = 65_536
_MOST_NAMED = 20
_NOT_FINITE = "with values that are not finite"


@dataclasses.dataclass(frozen=True)
class Fault:
    """Why an array cannot be used.

    Attributes:
        problem: what the array is, and what is needed.
        expression: Python that makes a good array of an array `v`; empty if none is known. It may
            use `c`, the sorted array of all labels that occur.
        is_mask: True if the labels are masks, which belong into image files.
    """

    problem: str
    expression: str = ""
    is_mask: bool = False


def images_fault(name: str, images: np.ndarray, of_all: Sequence[np.ndarray]) -> Fault | None:
    """The fault of an array of images; None for 8-bit images and for points.

    Args:
        name: name of the array.
        images: the array.
        of_all: the images of all splits, which are to be mended alike.
    """
    if images.ndim == 2 and images.dtype.kind == "f":
        is_finite = np.isfinite(images).all()
        problem = f"{name} is {images.dtype} of shape {images.shape}, points {_NOT_FINITE}"
        return None if is_finite else Fault(f"{problem}; remove these")
    value, shape_remark = _to_channels_last(images)
    expression, value_remark = _to_8_bits(value or "v", images, of_all)
    has_pixels = 0 not in images.shape[1:]
    if value == expression == "v" and has_pixels:
        return None
    remarks = "".join(f", {remark}" for remark in (value_remark, shape_remark) if remark)
    of_volumes = ", such as slices of volumes" if not value and images.ndim >= 4 else ""
    return Fault(
        f"{name} is {images.dtype} of shape {images.shape}{remarks}; {IMAGES_NEEDED}{of_volumes}",
        expression if value and has_pixels else "",
    )


def _to_channels_last(images: np.ndarray) -> tuple[str, str]:
    """Python that makes `[n, h, w]` or `[n, h, w, 1 or 3]` of `v`, or "", and a remark."""
    if images.ndim == 2:
        return _to_squares(images.shape[1])
    if images.ndim == 3 or (images.ndim == 4 and images.shape[-1] in (1, 3)):
        return "v", ""
    if images.ndim != 4:
        return "", ""
    channels_first, channels_last = images.shape[1], images.shape[-1]
    if channels_last in (2, 4) and channels_first > 4:
        return f"v[..., :{channels_last - 1}]", "with a channel of transparency, which is left out"
    if channels_first in (1, 3) and channels_last > 4:
        return "np.moveaxis(v, 1, -1)", "with the channels first"
    if channels_first in (2, 4) and channels_last > 4:
        remark = "with the channels first and a channel of transparency, which is left out"
        return f"np.moveaxis(v, 1, -1)[..., :{channels_first - 1}]", remark
    return "", ""


def _to_squares(length: int) -> tuple[str, str]:
    side = math.isqrt(length)
    if side and side * side == length:
        return f"v.reshape(-1, {side}, {side})", "images as rows"
    side = math.isqrt(length // 3)
    if side and 3 * side * side == length:
        expression = f"np.moveaxis(v.reshape(-1, 3, {side}, {side}), 1, -1)"
        return expression, "images as rows (taken for one channel after the other, as in CIFAR)"
    return "", ""


def _to_8_bits(value: str, images: np.ndarray, of_all: Sequence[np.ndarray]) -> tuple[str, str]:
    """Python that makes 8-bit levels of a value, or "", and a remark on the values."""
    if images.dtype == np.uint8:
        return value, ""
    if images.dtype == np.bool_:
        return f'{value}.astype("uint8") * 255', ""
    if images.dtype.kind not in "iuf" or not images.size:
        return "", ""
    alike = [array for array in of_all if array.dtype.kind == images.dtype.kind and array.size]
    least, most = min(array.min() for array in alike), max(array.max() for array in alike)
    if not all(np.isfinite(array).all() for array in alike):
        return "", _NOT_FINITE
    remark = f"with values from {least:g} to {most:g}"
    if images.dtype.kind == "f" and least >= 0 and most <= 1:
        return f'np.rint({value} * 255).astype("uint8")', remark
    if images.dtype.kind == "f" and least >= -1 and most <= 1:
        return f'np.rint(({value} + 1) * 127.5).astype("uint8")', remark
    if least >= 0 and LEAST_WHITE <= most <= 255:
        return f'np.rint({value}).astype("uint8")', remark
    if images.dtype.kind in "iu" and least >= 0 and most > 255:
        # The number of bits is that of the camera or scanner, such as 12 or 16.
        largest = 2 ** int(most).bit_length() - 1
        return f'np.rint({value} * (255 / {largest})).astype("uint8")', remark
    better = "better save the 8-bit pixels that they were made of than stretch these to 0 to 255"
    return _stretch(value, float(least), float(most)), f"{remark} ({better})"


def _stretch(value: str, least: float, most: float) -> str:
    factor = 255 / (most - least) if most > least else 0
    return f'np.rint(({value} - ({least!r})) * {factor!r}).astype("uint8")'


def labels_fault(
    name: str, labels: np.ndarray, of_all: Sequence[np.ndarray], images: np.ndarray
) -> Fault | None:
    """The fault of an array of labels; None for class numbers `[n]` or `[n, 1]`.

    Args:
        name: name of the array.
        labels: the array.
        of_all: the labels of all splits, which are to be mended alike.
        images: the images of the labels.
    """
    what = f"{name} is {labels.dtype} of shape {labels.shape}"
    if labels.ndim >= 3 and labels.size > len(labels):
        return _mask_fault(what, labels, of_all, images)
    if labels.ndim == 2 and labels.shape[1] > 1:
        return _columns_fault(name, labels)
    if labels.ndim and labels.dtype.kind in "US" and labels.size == len(labels):
        return _names_fault(what, labels, of_all)
    expression, remark = _to_class_numbers(labels, of_all)
    if expression == "v" and labels.ndim in (1, 2):
        return None
    return Fault(f"{what}{remark}; {LABELS_NEEDED}", f"{expression}.reshape(-1)" * bool(expression))


def _to_class_numbers(labels: np.ndarray, of_all: Sequence[np.ndarray]) -> tuple[str, str]:
    """Python that makes class numbers of numbers `v`, or "", and a remark."""
    if not labels.ndim or labels.size != len(labels) or not _are_integral(labels):
        return "", ""
    numbers = [array for array in of_all if array.dtype.kind in "biuf" and array.size]
    least = min((float(array.min()) for array in numbers), default=0.0)
    most = max((float(array.max()) for array in numbers), default=0.0)
    if least < 0 or most >= _MOST_CLASSES:
        return "np.searchsorted(c, v)", (
            f", with labels from {least:g} to {most:g} (those that occur are numbered anew from "
            "0; remove examples before whose label means unknown)"
        )
    return ("v" if labels.dtype.kind in "iu" else 'v.astype("int64")'), ""


def _are_integral(numbers: np.ndarray) -> bool:
    if numbers.dtype.kind != "f":
        return numbers.dtype.kind in "biu"
    return bool(np.all(np.isfinite(numbers) & (numbers == np.rint(numbers))))


def _mask_fault(
    what: str, labels: np.ndarray, of_all: Sequence[np.ndarray], images: np.ndarray
) -> Fault:
    is_mask = labels.ndim == 3 or (labels.ndim == 4 and labels.shape[3] == 1)
    if not is_mask or labels.shape[1:3] not in (images.shape[1:3], images.shape[2:4]):
        return Fault(f"{what}; {LABELS_NEEDED}")
    problem = f"{what}, a mask for each image; {LABELS_NEEDED}"
    ids = [array for array in of_all if array.size and _are_integral(array)]
    least = min((int(array.min()) for array in ids), default=0)
    most = max((int(array.max()) for array in ids), default=0)
    if len(ids) < len(of_all) or least < 0 or most >= 1 << 16:
        return Fault(problem)
    bits = 8 if most < 1 << 8 else 16
    return Fault(problem, f'v.reshape(v.shape[:3]).astype("uint{bits}")', is_mask=True)


def _columns_fault(name: str, labels: np.ndarray) -> Fault:
    what = f"{name} has {labels.shape[1]} labels for each image"
    is_number = labels.dtype.kind in "biuf"
    if is_number and len(labels) and np.allclose(labels.sum(1, dtype=float), 1, atol=1e-3):
        if np.all((labels == 0) | (labels == 1)):
            return Fault(f"{what}, one-hot; {LABELS_NEEDED}", "v.argmax(1)")
        if np.all(labels >= 0):
            remark = "the probability of each class, of which the largest counts"
            return Fault(f"{what}, {remark}; {LABELS_NEEDED}", "v.argmax(1)")
    return Fault(
        f"{what}; a multi-label set cannot be learnt, only one class for each image: "
        f"{LABELS_NEEDED}"
    )


def _names_fault(what: str, labels: np.ndarray, of_all: Sequence[np.ndarray]) -> Fault:
    as_text = TEXT_OF_BYTES.format("v") if labels.dtype.kind == "S" else "v"
    names = sorted({
        name.decode(errors="replace") if isinstance(name, bytes) else str(name)
        for array in of_all
        for name in array.reshape(-1).tolist()
    })  # fmt: skip
    remark = f"the names of {len(names)} classes"
    if len(names) <= _MOST_NAMED:
        flag = f'--config.data.class_names="{tuple(names)}"'
        is_plain = all(re.fullmatch(r"[\w .-]+", name) for name in names)
        remark += f" ({flag if is_plain else shown(', '.join(names))})"
    return Fault(f"{what}, {remark}; {LABELS_NEEDED}", f"np.searchsorted(c, {as_text}.reshape(-1))")
