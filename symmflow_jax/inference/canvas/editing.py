"""Edits of photos of any size, in windows that move at once where a photo needs several."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import jax
import numpy as np

from symmflow_jax.data import transforms
from symmflow_jax.data.batch import Pixels
from symmflow_jax.data.geometry.canvas import Canvas, View, stretched
from symmflow_jax.data.geometry.fit import Box, Placement, Size
from symmflow_jax.flow.solvers import fixed_steps
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.inference.canvas.generation import method_on_canvas
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.inference.editing import Keep, Source, rule_of
from symmflow_jax.methods import editing as method_editing
from symmflow_jax.methods.editing import FROM_PHOTO, Editing

if TYPE_CHECKING:
    from symmflow_jax.inference.model import Model

_MOST_TOGETHER = 16


class Photo(NamedTuple):
    """A photo of any size, and what is to become of it.

    Attributes:
        pixels: uint8 `[height, width, 1 or 3]`.
        classes: its new classes, int `[height, width]` or a scalar.
        source: its old classes, likewise; None if they are not given.
        keep: the pixels to keep, bool `[height, width]`; None if they are not given.
        name: what it is called in messages.
    """

    pixels: np.ndarray
    classes: np.ndarray
    source: np.ndarray | None = None
    keep: np.ndarray | None = None
    name: str = "the photo"

    @property
    def size(self) -> Size:
        """Height and width."""
        return self.pixels.shape[0], self.pixels.shape[1]


class EditedPhoto(NamedTuple):
    """An edited photo, in its own size.

    Attributes:
        image: uint8 `[height, width, channels]` with the channels of the model.
        source: its old classes, int32 `[height, width]` or a scalar; None for none.
        keep: the pixels that are those of the photo, bool `[height, width]`; None for none.
        made_in: height and width in which all other pixels were made.
    """

    image: np.ndarray
    source: np.ndarray | None
    keep: np.ndarray | None
    made_in: Size


def edit_photos(
    model: "Model",
    photos: Sequence[Photo],
    key: jax.Array,
    solve: Solve,
    *,
    source: Source = Source.READ,
    keep: Keep | None = None,
    editing: Editing = FROM_PHOTO,
    view: View | None = None,
) -> list[EditedPhoto]:
    """Edits photos of any sizes, each at the scale of a view, and brings them back to their sizes.

    What is kept are the photo's own pixels, in its own size. At the scale of the view a pixel is
    kept if all pixels of the photo in its place are. Photos of one size are edited together.

    Args:
        model: a model of images.
        photos: the photos.
        key: origin of the noise; that of photo i depends on i alone.
        solve, editing: as in `inference.editing.edit`.
        source: how to come by old classes that are not given.
        keep: the rule for photos whose kept pixels are not given.
        view: how photos are shown to a model of masks; by default as the run was trained. A model
            of labels sees each photo as a whole, in its own size and shape.

    Raises:
        ValueError: as `inference.editing.edit`; if a mask or region has another size than its
            photo; or if a photo cannot be shown by this view.
    """
    method_editing.check(model.method, solve)
    if model.experiment.photos.has_signals:
        raise ValueError(
            "This model learned images of more than 8 bits or other channels than pictures, and "
            "edits of photos are 8-bit; edit arrays in its size with edit_arrays()."
        )
    for photo in photos:
        check_sizes(photo)
    if view is None and model.reads_masks:
        view = model.view()
    sources = _sources(model, photos, key, source, view)
    regions = [
        _kept(
            photo,
            old,
            rule_of(model, photo.keep if keep is None else keep, has_source=old is not None),
        )
        for photo, old in zip(photos, sources, strict=True)
    ]
    results: dict[int, EditedPhoto] = {}
    for canvas, numbers in _groups(model, photos, view):
        drawn = [
            _drawn(model, photos[number], sources[number], regions[number], canvas[number])
            for number in numbers
        ]
        overlap = 0.0 if view is None else view.overlap
        images = _edit(model, drawn, numbers, canvas[numbers[0]], key, solve, editing, overlap)
        for number, image in zip(numbers, images, strict=True):
            results[number] = _pasted(
                model, photos[number], image, sources[number], regions[number], canvas[number]
            )
    return [results[number] for number in range(len(photos))]


def check_sizes(photo: Photo) -> None:
    """Checks that the masks and the region lie over the photo.

    Raises:
        ValueError: if one has another size.
    """
    height, width = photo.size
    masks = {"mask": photo.classes, "old mask": photo.source, "region to keep": photo.keep}
    for name, mask in masks.items():
        if mask is not None and np.ndim(mask) == 2 and mask.shape != (height, width):
            raise ValueError(
                f"{photo.name} is {width}x{height} but its {name} is "
                f"{mask.shape[1]}x{mask.shape[0]} (width x height); make the {name} in the size of "
                "the photo."
            )


def shrunk(keep: np.ndarray, size: Size) -> np.ndarray:
    """A region bool `[height, width]` in another size: of what is kept in all of its pixels.

    A pixel that lies under two pixels of the other size counts for both.
    """
    if keep.shape == size:
        return keep
    changed = np.pad(np.cumsum(np.cumsum(~keep, axis=0), axis=1), ((1, 0), (1, 0)))
    (top, bottom), (left, right) = (
        (
            np.arange(new) * length // new,
            -(-np.arange(1, new + 1) * length // new),
        )
        for length, new in zip(keep.shape, size, strict=True)
    )
    above, below = changed[top], changed[bottom]
    return (below[:, right] - above[:, right] - below[:, left] + above[:, left]) == 0


class _Drawn(NamedTuple):
    """A photo on its canvas.

    Attributes:
        pixels: uint8 `[height, width, channels]`.
        classes: int32 `[height, width]` or a scalar.
        source: likewise, or None.
        keep: bool `[height, width]`; False everywhere if nothing is kept.
    """

    pixels: np.ndarray
    classes: np.ndarray
    source: np.ndarray | None
    keep: np.ndarray


def _sources(
    model: "Model", photos: Sequence[Photo], key: jax.Array, source: Source, view: View | None
) -> list[np.ndarray | None]:
    """The old classes of each photo, in its own size."""
    given = [photo.name for photo in photos if photo.source is not None]
    if source is Source.NONE and len(given) < len(photos):
        if given:
            raise ValueError(
                f"{given[0]} has an old mask or label, but others have none and are not to be read "
                "either; give all of them, or none."
            )
        return [None] * len(photos)
    missing = [number for number, photo in enumerate(photos) if photo.source is None]
    read = dict(zip(missing, _read(model, [photos[n] for n in missing], key, view), strict=True))
    return [
        read[number] if photo.source is None else np.asarray(photo.source, np.int32)
        for number, photo in enumerate(photos)
    ]


def _read(
    model: "Model", photos: Sequence[Photo], key: jax.Array, view: View | None
) -> Iterator[np.ndarray]:
    """The masks or labels that the model reads in one step."""
    if view is not None:
        for reading in model.read_masks((photo.pixels for photo in photos), key, view):
            yield reading.labels
    elif photos:
        fitted = np.stack([model.fitted(photo.pixels) for photo in photos])
        read = predictions.predict_semantics(
            model.method,
            model.weights,
            key,
            np.arange(len(fitted)),
            Pixels(fitted),
            fixed_steps.euler(1),
        )
        yield from np.asarray(read.labels)


def _kept(photo: Photo, source: np.ndarray | None, rule: Keep) -> np.ndarray | None:
    """The pixels of a photo to keep, bool `[height, width]`; None for none."""
    if photo.keep is not None:
        return photo.keep
    return photo.classes == source if rule is Keep.UNCHANGED else None


def _groups(
    model: "Model", photos: Sequence[Photo], view: View | None
) -> Iterator[tuple[dict[int, Canvas], list[int]]]:
    """The canvases by the number of their photo, with the photos that are edited together."""
    height, width, _ = model.image_shape
    window = (height, width)
    canvases = {
        number: stretched(photo.size, window, 1.0)
        if view is None
        else view.canvases(photo.size, window)[0]
        for number, photo in enumerate(photos)
    }
    by_size: dict[tuple[Size, Size], list[int]] = {}
    for number, canvas in canvases.items():
        by_size.setdefault((canvas.size, canvas.window), []).append(number)
    for numbers in by_size.values():
        for start in range(0, len(numbers), _MOST_TOGETHER):
            yield canvases, numbers[start : start + _MOST_TOGETHER]


def _drawn(
    model: "Model",
    photo: Photo,
    source: np.ndarray | None,
    region: np.ndarray | None,
    canvas: Canvas,
) -> _Drawn:
    """A photo, its masks and its region on a canvas."""
    codec = model.method.codec
    multiple = codec.image_shape[0] // codec.shapes.image[0]
    resampling = model.experiment.preparation.resampling
    kept = np.zeros(photo.size, bool) if region is None else region

    def classes(mask: np.ndarray) -> np.ndarray:
        if np.ndim(mask) == 0:
            return np.asarray(mask, np.int32)
        return _on_canvas(lambda place: transforms.place_mask(mask, place), canvas, multiple)

    return _Drawn(
        _on_canvas(
            lambda place: transforms.place_image(
                photo.pixels, place, codec.image_shape[-1], resampling
            ),
            canvas,
            multiple,
        ),
        classes(photo.classes),
        None if source is None else classes(source),
        _on_canvas(lambda place: _placed_region(kept, place), canvas, multiple),
    )


def _on_canvas(
    draw: Callable[[Placement], np.ndarray], canvas: Canvas, multiple: int
) -> np.ndarray:
    """What is drawn by a placement, whose mirror image fills the sides up to a multiple."""
    placement = canvas.placement
    if canvas.mirrors:
        content = placement.target.size
        placement = Placement(placement.source, Box.whole(content), content)
    drawn = draw(placement)
    sides = [-(-side // multiple) * multiple for side in canvas.size]
    missing = [(0, full - side) for full, side in zip(sides, drawn.shape, strict=False)]
    return np.pad(drawn, (*missing, *[(0, 0)] * (drawn.ndim - 2)), mode="symmetric")


def _placed_region(region: np.ndarray, placement: Placement) -> np.ndarray:
    """A region as a placement says; what shows no photo is kept."""
    placed = np.ones(placement.size, bool)
    source, target = placement.source, placement.target
    placed[target.rows, target.columns] = shrunk(region[source.rows, source.columns], target.size)
    return placed


def _edit(
    model: "Model",
    drawn: Sequence[_Drawn],
    numbers: Sequence[int],
    canvas: Canvas,
    key: jax.Array,
    solve: Solve,
    editing: Editing,
    overlap: float,
) -> np.ndarray:
    """Edited canvases of one size, uint8 `[count, *canvas, channels]`."""
    # Batches of few sizes, of which each is compiled once.
    full = 1 << (len(drawn) - 1).bit_length()
    padded = [*drawn, *[drawn[0]] * (full - len(drawn))]
    indices = np.asarray([*numbers, *[numbers[0]] * (full - len(drawn))])
    sources = [one.source for one in padded if one.source is not None]
    height, width = drawn[0].pixels.shape[:2]
    made = predictions.edit(
        method_on_canvas(model.method, canvas, (height, width), overlap),
        model.weights,
        key,
        indices,
        Pixels(np.stack([one.pixels for one in padded])),
        np.stack([one.classes for one in padded]),
        np.stack(sources) if sources else None,
        np.stack([one.keep for one in padded]) if any(one.keep.any() for one in drawn) else None,
        solve,
        editing,
    )
    return np.asarray(made.images)[: len(drawn)]


def _pasted(
    model: "Model",
    photo: Photo,
    made: np.ndarray,
    source: np.ndarray | None,
    region: np.ndarray | None,
    canvas: Canvas,
) -> EditedPhoto:
    """What was made on the canvas, in the size of the photo, around its kept pixels."""
    target = canvas.placement.target
    image = transforms.resize_image(
        made[target.rows, target.columns],
        photo.size,
        made.shape[-1],
        model.experiment.preparation.resampling,
    )
    if region is not None:
        given = transforms.resize_image(photo.pixels, photo.size, made.shape[-1])
        image = np.where(region[..., None], given, image)
    return EditedPhoto(image, source, region, target.size)
