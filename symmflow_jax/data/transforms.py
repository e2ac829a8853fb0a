"""Geometric transforms of an image together with its mask."""

import typing
from typing import Any

import numpy as np
from PIL import Image
from PIL.Image import Resampling

from symmflow_jax.data.geometry.fit import CROP, Fit, Placement, Size
from symmflow_jax.semantics.labels import UNKNOWN

Example = dict[str, Any]
"""An example with "image" and "labels", the target of learning."""


PADDING = 128
"""Grey level, the middle of 0..255, where an image is padded."""


def fit(
    example: Example,
    size: tuple[int, int],
    channels: int,
    rng: np.random.Generator | None = None,
    resampling: Resampling = Resampling.BICUBIC,
    how: Fit = CROP,
) -> Example:
    """Brings image and mask to one size.

    Args:
        example: "image", uint8 `[h, w, c]` or a Pillow image, and "labels", int `[h, w]` or a
            scalar.
        size: height and width of the result.
        channels: 1 for grey or 3 for colour.
        rng: source of what the fit draws; None for the same every time.
        resampling: filter that resizes the image.
        how: the fit.

    Returns:
        The example with image uint8 `[height, width, channels]` and labels int32. Images are
        resized with antialiasing, masks by nearest neighbour. Pixels outside of the picture are
        grey (`PADDING`) and `UNKNOWN`.
    """
    image, labels = example["image"], example["labels"]
    placement = how.place(typing.cast(Size, image_size(image)), size, rng)
    if np.ndim(labels) == 2:
        labels = place_mask(labels, placement)
    return example | {
        "image": place_image(image, placement, channels, resampling),
        "labels": np.asarray(labels, np.int32),
    }


def place_image(
    image: Image.Image | np.ndarray,
    placement: Placement,
    channels: int,
    resampling: Resampling = Resampling.BICUBIC,
) -> np.ndarray:
    """An image as a placement says, `[*placement.size, channels]`, grey outside of it."""
    source, target = placement.source, placement.target
    if source.size != image_size(image):
        image = _to_pillow(image).crop((source.left, source.top, source.right, source.bottom))
    resized = resize_image(image, target.size, channels, resampling)
    if target.size == placement.size:
        return resized
    padded = np.full((*placement.size, channels), PADDING, np.uint8)
    padded[target.rows, target.columns] = resized
    return padded


def place_signal(
    signal: np.ndarray, placement: Placement, resampling: Resampling = Resampling.BICUBIC
) -> np.ndarray:
    """The same of a float image `[height, width, channels]` in [-1, 1], 0 outside of it.

    The filter may overshoot; values beyond [-1, 1] are cut off.
    """
    source, target = placement.source, placement.target
    part = np.asarray(signal, np.float32)[source.rows, source.columns]
    if source.size != target.size:
        planes = [
            np.asarray(Image.fromarray(plane).resize(target.size[::-1], resampling))
            for plane in np.moveaxis(part, -1, 0)
        ]
        part = np.clip(np.stack(planes, axis=-1), -1.0, 1.0)
    padded = np.zeros((*placement.size, part.shape[-1]), np.float32)
    padded[target.rows, target.columns] = part
    return padded


def place_mask(mask: np.ndarray, placement: Placement) -> np.ndarray:
    """A mask as a placement says, int32 `[*placement.size]`, `UNKNOWN` outside of it."""
    source, target = placement.source, placement.target
    resized = resize_mask(mask[source.rows, source.columns], target.size)
    if target.size == placement.size:
        return resized
    padded = np.full(placement.size, UNKNOWN, np.int32)
    padded[target.rows, target.columns] = resized
    return padded


COLUMNS, ROWS = 1, 0
"""The axis of a picture that a mirror reverses: left and right, or top and bottom."""


def random_flip(
    example: Example,
    rng: np.random.Generator,
    mirrored: tuple[tuple[int, int], ...] = (),
    axis: int = COLUMNS,
) -> Example:
    """Mirrors image and mask with probability 0.5.

    Args:
        example: an example as returned by `fit`.
        rng: source of the random decision.
        mirrored: pairs of classes that mirroring exchanges, such as left and right eyes.
        axis: `COLUMNS` mirrors left to right, `ROWS` top to bottom.
    """
    if rng.random() < 0.5:
        return example
    labels = flip_labels(example["labels"], mirrored, axis)
    return example | {"image": np.flip(example["image"], axis), "labels": labels}


_MOST_HIDDEN = 2 / 3
_MOST_BOXES = 1000


def hide_part(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Makes a part of a mask unknown: random boxes, up to a share that is uniform in [0, 2/3].

    Args:
        mask: int `[height, width]`.
        rng: source of the share and the boxes, whose sides are an eighth to a half of the mask's.
    """
    height, width = mask.shape
    hidden, share = np.zeros(mask.shape, bool), rng.uniform(0, _MOST_HIDDEN)
    for _ in range(_MOST_BOXES):
        if hidden.mean() >= share:
            break
        rows = rng.integers(max(1, height // 8), max(1, height // 2) + 1)
        columns = rng.integers(max(1, width // 8), max(1, width // 2) + 1)
        top, left = rng.integers(height - rows + 1), rng.integers(width - columns + 1)
        hidden[top : top + rows, left : left + columns] = True
    return np.where(hidden, UNKNOWN, mask).astype(mask.dtype)


def flip_labels(
    labels: Any, mirrored: tuple[tuple[int, int], ...] = (), axis: int = COLUMNS
) -> Any:
    """Mirrors a mask along an axis; one label for the whole image stays unchanged."""
    return exchanged(np.flip(labels, axis), mirrored) if np.ndim(labels) == 2 else labels


def exchanged(classes: np.ndarray, pairs: tuple[tuple[int, int], ...]) -> np.ndarray:
    """Classes of any shape, with those of each pair exchanged."""
    swapped = classes
    for first, second in pairs:
        swapped = np.where(classes == first, second, swapped)
        swapped = np.where(classes == second, first, swapped)
    return swapped.astype(classes.dtype)


def image_size(image: Image.Image | np.ndarray) -> tuple[int, ...]:
    """Height and width of an image; `(n,)` for points `[n]`."""
    return (image.height, image.width) if isinstance(image, Image.Image) else image.shape[:2]


def resize_image(
    image: Image.Image | np.ndarray,
    size: tuple[int, int],
    channels: int,
    resampling: Resampling = Resampling.BICUBIC,
) -> np.ndarray:
    """Resizes a Pillow image or uint8 `[height, width, c]` to uint8 `[*size, channels]`.

    The filter is antialiased. Grey is repeated over three channels; colour becomes
    luminance for one channel.
    """
    if isinstance(image, np.ndarray) and image.shape == (*size, channels):
        return image
    picture, mode = _to_pillow(image), "L" if channels == 1 else "RGB"
    if picture.mode != mode:
        picture = picture.convert(mode)
    if image_size(picture) != size:
        picture = picture.resize(size[::-1], resampling)
    return np.asarray(picture).reshape(*size, channels)


def _to_pillow(image: Image.Image | np.ndarray) -> Image.Image:
    if isinstance(image, Image.Image):
        return image
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def resize_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes classes `[height, width]` to int32 `[*size]` by nearest neighbour."""
    if mask.shape == size:
        return mask.astype(np.int32, copy=False)
    rows, columns = (nearest_pixels(*lengths) for lengths in zip(mask.shape, size, strict=True))
    return mask[rows[:, None], columns[None]].astype(np.int32, copy=False)


def nearest_pixels(length: int, new_length: int) -> np.ndarray:
    """Index, along an axis, of the pixel nearest to each new one's centre, rounded as Pillow does.

    Gathering a few pixels of a large mask is faster than converting all of it to a Pillow image.
    """
    step = length / new_length
    steps = np.full(new_length, step)
    steps[0] = 0.5 * step
    return np.cumsum(steps).astype(np.intp).clip(max=length - 1)
