"""Geometric transforms of an image together with its mask."""

from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from PIL.Image import Resampling

Example = dict[str, Any]
"""An example with "image" and "labels", the target of learning."""


def fit(
    example: Example,
    size: tuple[int, int],
    channels: int,
    rng: np.random.Generator | None = None,
    resampling: Resampling = Resampling.BICUBIC,
) -> Example:
    """Crops image and mask to the aspect ratio of `size` and resizes them to it.

    Args:
        example: "image", uint8 `[h, w, c]`, a Pillow image, or a signal float32 `[h, w, c]`; and
            "labels", int `[h, w]` or a scalar.
        size: height and width of the result.
        channels: 1 for grey or 3 for colour.
        rng: source of the random crop position; None crops at the centre.
        resampling: filter that resizes the image.

    Returns:
        The example with image `[height, width, channels]`, uint8 or float32 for a signal, and
        labels int32. Images are resized with antialiasing, masks by nearest neighbour.
    """
    image, labels = example["image"], example["labels"]
    height, width = image_size(image)
    box = _crop_box((height, width), size, rng)
    if np.ndim(labels) == 2:
        labels = resize_mask(labels[box.rows, box.columns], size)
    if (box.height, box.width) != (height, width):
        image = _cropped(image, box)
    return example | {
        "image": resize_image(image, size, channels, resampling),
        "labels": np.asarray(labels, np.int32),
    }


def _cropped(image: Image.Image | np.ndarray, box: "_Box") -> Image.Image | np.ndarray:
    if _is_signal(image):
        return image[box.rows, box.columns]  # type: ignore[index]
    return _to_pillow(image).crop((box.left, box.top, box.right, box.bottom))


def central_part(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The part of a mask `[h, w]` that `fit` keeps at the centre, in its original size, int32."""
    box = _crop_box(mask.shape, size, None)
    return mask[box.rows, box.columns].astype(np.int32)


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


def flip_labels(
    labels: Any, mirrored: tuple[tuple[int, int], ...] = (), axis: int = COLUMNS
) -> Any:
    """Mirrors a mask along an axis; one label for the whole image stays unchanged."""
    return _swap(np.flip(labels, axis), mirrored) if np.ndim(labels) == 2 else labels


def _swap(classes: np.ndarray, pairs: tuple[tuple[int, int], ...]) -> np.ndarray:
    swapped = classes
    for first, second in pairs:
        swapped = np.where(classes == first, second, swapped)
        swapped = np.where(classes == second, first, swapped)
    return swapped.astype(classes.dtype)


class _Box(NamedTuple):
    """Position and size of a crop, in pixels."""

    top: int
    left: int
    height: int
    width: int

    @property
    def bottom(self) -> int:
        return self.top + self.height

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def rows(self) -> slice:
        return slice(self.top, self.bottom)

    @property
    def columns(self) -> slice:
        return slice(self.left, self.right)


def _crop_box(
    shape: tuple[int, ...], size: tuple[int, int], rng: np.random.Generator | None
) -> _Box:
    """The largest crop with the aspect ratio of `size`, at least one pixel high and wide.

    A crop of a narrow strip may round to nothing: it is then a pixel of another aspect ratio.
    """
    height = min(shape[0], max(1, round(shape[1] * size[0] / size[1])))
    width = min(shape[1], max(1, round(shape[0] * size[1] / size[0])))
    spare_rows, spare_columns = shape[0] - height, shape[1] - width
    if rng is None:
        return _Box(spare_rows // 2, spare_columns // 2, height, width)
    top, left = rng.integers(spare_rows + 1), rng.integers(spare_columns + 1)
    return _Box(int(top), int(left), height, width)


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
    luminance for one channel. A signal stays float32 with its channels, each of which is resized.
    """
    if _is_signal(image):
        return _resize_signal(np.asarray(image), size, resampling)
    if isinstance(image, np.ndarray) and image.shape == (*size, channels):
        return image
    picture, mode = _to_pillow(image), "L" if channels == 1 else "RGB"
    if picture.mode != mode:
        picture = picture.convert(mode)
    if image_size(picture) != size:
        picture = picture.resize(size[::-1], resampling)
    return np.asarray(picture).reshape(*size, channels)


def _is_signal(image: Image.Image | np.ndarray) -> bool:
    return isinstance(image, np.ndarray) and image.dtype == np.float32


def _resize_signal(signal: np.ndarray, size: tuple[int, int], resampling: Resampling) -> np.ndarray:
    """Resizes float32 `[height, width, c]` in [-1, 1]; a cubic filter does not leave this range."""
    if signal.shape[:2] == size:
        return signal
    planes = [
        np.asarray(Image.fromarray(np.ascontiguousarray(plane)).resize(size[::-1], resampling))
        for plane in np.moveaxis(signal, -1, 0)
    ]
    return np.clip(np.stack(planes, -1), -1, 1)


def _to_pillow(image: Image.Image | np.ndarray) -> Image.Image:
    if isinstance(image, Image.Image):
        return image
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def resize_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes classes `[height, width]` to int32 `[*size]` by nearest neighbour."""
    if mask.shape == size:
        return mask.astype(np.int32, copy=False)
    rows, columns = (_nearest(*lengths) for lengths in zip(mask.shape, size, strict=True))
    return mask[rows[:, None], columns[None]].astype(np.int32, copy=False)


def _nearest(length: int, new_length: int) -> np.ndarray:
    """Index of the pixel nearest to the centre of each new one, rounded exactly like Pillow.

    Gathering a few pixels of a large mask is faster than converting all of it to a Pillow image.
    """
    step = length / new_length
    steps = np.full(new_length, step)
    steps[0] = 0.5 * step
    return np.cumsum(steps).astype(np.intp).clip(max=length - 1)
