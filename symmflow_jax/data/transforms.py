"""Geometric transforms that treat an image and its mask alike."""

from typing import Any

import numpy as np
from PIL import Image

Example = dict[str, Any]
"""An element of a source: "image", and "labels" for what is to be learned of it."""


def fit(
    example: Example,
    size: tuple[int, int],
    channels: int,
    rng: np.random.Generator | None = None,
) -> Example:
    """Crops image and mask to the aspect ratio of `size` and resizes them to it.

    Args:
        example: "image" uint8 `[h, w, c]` and "labels", int32 `[h, w]` or a scalar.
        size: height and width to come out.
        channels: 1 for grey or 3 for colour.
        rng: where to take the place of the crop from; None takes the centre.

    Returns:
        the example with image uint8 `[height, width, channels]`; images are resized with
        antialiasing, masks by their nearest pixels.
    """
    example = crop(example, size, rng)
    image, labels = example["image"], example["labels"]
    image = resize_image(to_channels(image, channels), size)
    if np.ndim(labels) == 2:
        labels = resize_mask(labels, size)
    return example | {"image": image, "labels": labels}


def crop(
    example: Example, size: tuple[int, int], rng: np.random.Generator | None = None
) -> Example:
    """The largest part of image and mask with the aspect ratio of `size`, as in `fit`."""
    image, labels = example["image"], example["labels"]
    top, left, height, width = _crop_box(image.shape[:2], size, rng)
    rows, columns = slice(top, top + height), slice(left, left + width)
    if np.ndim(labels) == 2:
        labels = labels[rows, columns]
    return example | {"image": image[rows, columns], "labels": labels}


def random_flip(
    example: Example, rng: np.random.Generator, mirrored: tuple[tuple[int, int], ...] = ()
) -> Example:
    """Mirrors image and mask left to right, half of the time.

    Args:
        example: as in `fit`.
        rng: decides whether to mirror.
        mirrored: pairs of classes that a mirror turns into each other, such as left and right
            eyes.
    """
    if rng.random() < 0.5:
        return example
    labels = flip_labels(example["labels"], mirrored)
    return example | {"image": example["image"][:, ::-1], "labels": labels}


def flip_labels(labels: Any, mirrored: tuple[tuple[int, int], ...] = ()) -> Any:
    """A mask mirrored left to right; one label for the whole image stays as it is."""
    return _swap(labels[:, ::-1], mirrored) if np.ndim(labels) == 2 else labels


def _swap(classes: np.ndarray, pairs: tuple[tuple[int, int], ...]) -> np.ndarray:
    swapped = classes
    for first, second in pairs:
        swapped = np.where(classes == first, second, swapped)
        swapped = np.where(classes == second, first, swapped)
    return swapped.astype(classes.dtype)


def _crop_box(
    shape: tuple[int, int], size: tuple[int, int], rng: np.random.Generator | None
) -> tuple[int, int, int, int]:
    """Top, left, height and width of the largest crop with the aspect ratio of `size`."""
    height = min(shape[0], round(shape[1] * size[0] / size[1]))
    width = min(shape[1], round(shape[0] * size[1] / size[0]))
    spare_rows, spare_columns = shape[0] - height, shape[1] - width
    if rng is None:
        return spare_rows // 2, spare_columns // 2, height, width
    top, left = rng.integers(spare_rows + 1), rng.integers(spare_columns + 1)
    return int(top), int(left), height, width


def to_channels(image: np.ndarray, channels: int) -> np.ndarray:
    """uint8 `[height, width, channels]`: grey is repeated, colour becomes its luminance."""
    if image.shape[-1] == channels:
        return image
    if channels == 3:
        return np.repeat(image, 3, axis=-1)
    return np.asarray(Image.fromarray(image).convert("L"))[..., None]


def resize_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """uint8 `[*size, channels]` of `[height, width, channels]`, bicubic with antialiasing."""
    if image.shape[:2] == size:
        return image
    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    resized = picture.resize(size[::-1], Image.Resampling.BICUBIC)
    return np.asarray(resized).reshape(*size, -1)


def resize_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """int32 `[*size]` of classes `[height, width]`, each pixel the nearest one's."""
    if mask.shape == size:
        return mask
    rows, columns = (_nearest(*lengths) for lengths in zip(mask.shape, size, strict=True))
    return mask[rows[:, None], columns[None]].astype(np.int32, copy=False)


def _nearest(length: int, new_length: int) -> np.ndarray:
    """The pixel nearest to the centre of each new one, by Pillow's own sums of steps.

    Gathering a few of a large mask's pixels is quicker than making a picture of all of them.
    """
    step = length / new_length
    steps = np.full(new_length, step)
    steps[0] = 0.5 * step
    return np.cumsum(steps).astype(np.intp).clip(max=length - 1)
