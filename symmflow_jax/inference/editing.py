"""Edits of images by a trained model: arrays in its own size, and photos of any size."""

import enum
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from symmflow_jax.data.batch import Images, Pixels
from symmflow_jax.data.transforms import resize_image, resize_mask
from symmflow_jax.flow.solvers import fixed_steps
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.inference import predictions
from symmflow_jax.methods import editing as method_editing
from symmflow_jax.methods.editing import FROM_PHOTO, Editing

if TYPE_CHECKING:
    from symmflow_jax.inference.model import Model


class Source(enum.Enum):
    """The old semantics of an image, if they are not given."""

    READ = "read"
    """What the model reads in the image, in one step."""

    NONE = "none"
    """None: the velocity beside semantics of pure noise."""


class Keep(enum.Enum):
    """What to keep of an image, if no region is given."""

    UNCHANGED = "unchanged"
    """The pixels whose class does not change."""

    NONE = "none"
    """Nothing: all pixels may change."""


class Edited(NamedTuple):
    """Edited images.

    Attributes:
        images: uint8 `[batch, height, width, channels]`, or float32 points `[batch, n]`.
        source: the old semantics, int32 `[batch, height, width]` or `[batch]`; None for none.
        keep: bool `[batch, height, width]` or `[batch, n]`, what was kept; None for nothing.
        nfe: int32 `[batch]`, number of network passes for each image, without the reading.
    """

    images: np.ndarray
    source: np.ndarray | None
    keep: np.ndarray | None
    nfe: np.ndarray


def edit(
    model: "Model",
    images: Images,
    conditions: np.ndarray,
    key: jax.Array,
    solve: Solve,
    *,
    source: np.ndarray | Source = Source.READ,
    keep: np.ndarray | Keep | None = None,
    editing: Editing = FROM_PHOTO,
) -> Edited:
    """Edits images in the size of the model.

    Args:
        model: the model.
        images: `Pixels`, `Signals` or `Points` in the model's size.
        conditions: the new classes, int32 `[batch, height, width]` or `[batch]`.
        key: origin of the noise.
        solve: the solver.
        source: the old classes, shaped as the new ones, or how to come by them.
        keep: what to keep, bool `[batch, height, width]`, or `[batch, n]` of points; or a rule.
            None is `Keep.UNCHANGED` for masks, and `Keep.NONE` for labels.
        editing: how to edit.

    Raises:
        ValueError: if the network has one clock, if the solver cannot do it, or if there are no
            old masks to compare the new ones with.
    """
    method_editing.check(model.method, solve)
    rule = _rule(model, keep, source)
    index = jnp.arange(len(conditions))
    old = _read(model, images, key) if source is Source.READ else source
    old = None if isinstance(old, Source) else np.asarray(old, np.int32)
    region = keep if isinstance(keep, np.ndarray) else None
    if region is None and rule is Keep.UNCHANGED:
        region = conditions == old
    made = predictions.edit(
        model.method, model.weights, key, index, images, conditions, old, region, solve, editing
    )
    return Edited(np.asarray(made.images), old, region, np.asarray(made.nfe))


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


class EditedPhoto(NamedTuple):
    """An edited photo, in its own size.

    Attributes:
        image: uint8 `[height, width, channels]` with the channels of the model.
        source: its old classes, int32 `[height, width]` or a scalar; None for none.
        keep: the pixels that are those of the photo, bool `[height, width]`; None for none.
        was_resized: whether all other pixels were made in the model's size, which is another one.
    """

    image: np.ndarray
    source: np.ndarray | None
    keep: np.ndarray | None
    was_resized: bool


def edit_photos(
    model: "Model",
    photos: Sequence[Photo],
    key: jax.Array,
    solve: Solve,
    *,
    source: Source = Source.READ,
    keep: Keep | None = None,
    editing: Editing = FROM_PHOTO,
) -> list[EditedPhoto]:
    """Edits photos of any sizes: each is resized to the size of the model, edited and resized back.

    What is kept are the photo's own pixels, in its own size. In the size of the model a pixel is
    kept if all pixels of the photo in its place are.

    Args:
        model: a model of images.
        photos: the photos, at least one; each number of photos is compiled for itself.
        key, solve, editing: as in `edit`.
        source: how to come by old classes that are not given.
        keep: the rule for photos whose kept pixels are not given, as in `edit`.

    Raises:
        ValueError: as `edit`; or if a mask or region has another size than its photo.
    """
    method_editing.check(model.method, solve)
    for photo in photos:
        _check_sizes(photo)
    size, channels = model.image_shape[:2], model.image_shape[-1]
    resampling = model.experiment.preparation.resampling
    small = np.stack([resize_image(p.pixels, size, channels, resampling) for p in photos])
    sources = _sources(model, photos, Pixels(small), key, source)
    regions = [
        _kept(photo, old, _rule(model, photo.keep if keep is None else keep, source))
        for photo, old in zip(photos, sources, strict=True)
    ]
    has_regions = any(region is not None for region in regions)
    nothing = np.zeros(size, bool)
    edited = edit(
        model,
        Pixels(small),
        np.stack([_resized(photo.classes, size) for photo in photos]),
        key,
        solve,
        source=Source.NONE
        if any(old is None for old in sources)
        else np.stack([_resized(old, size) for old in sources if old is not None]),
        keep=np.stack([nothing if r is None else shrunk(r, size) for r in regions])
        if has_regions
        else Keep.NONE,
        editing=editing,
    )
    return [
        _pasted(photo, made, old, region, channels)
        for photo, made, old, region in zip(photos, edited.images, sources, regions, strict=True)
    ]


def shrunk(keep: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """A region bool `[height, width]` in another size: of what is kept in all of its pixels."""
    if keep.shape == tuple(size):
        return keep
    changed = Image.fromarray((~keep).astype(np.float32))
    height, width = size
    share = np.asarray(changed.resize((width, height), Image.Resampling.BOX))
    return share < 1e-6


def _rule(model: "Model", keep: np.ndarray | Keep | None, source: np.ndarray | Source) -> Keep:
    """The rule of what to keep where no region is given.

    Raises:
        ValueError: if there are no old masks to compare with.
    """
    rule = keep
    if not isinstance(keep, Keep):
        by_default = keep is None and model.reads_masks
        rule = Keep.UNCHANGED if by_default and source is not Source.NONE else Keep.NONE
    if rule is Keep.UNCHANGED and not model.reads_masks:
        raise ValueError(
            "What is unchanged shows in masks, and this model knows labels; keep nothing, or give "
            "the region to keep."
        )
    if rule is Keep.UNCHANGED and source is Source.NONE:
        raise ValueError(
            "To keep what is unchanged, the new mask is compared with the old one; give the old "
            "one or have it read, or keep nothing or a region."
        )
    return rule


def _read(model: "Model", images: Images, key: jax.Array) -> np.ndarray:
    """The classes that the model reads in one step, int32 `[batch, ...]`."""
    index = jnp.arange(len(images.values))
    read = predictions.predict_semantics(
        model.method, model.weights, key, index, images, fixed_steps.euler(1)
    )
    return np.asarray(read.labels)


def _sources(
    model: "Model", photos: Sequence[Photo], small: Pixels, key: jax.Array, source: Source
) -> list[np.ndarray | None]:
    """The old classes of each photo, in its own size."""
    missing = [photo.source is None for photo in photos]
    if any(missing) and source is Source.NONE:
        return [None] * len(photos)
    read = _read(model, small, key) if any(missing) else [None] * len(photos)
    return [
        _resized(labels, photo.pixels.shape[:2]) if photo.source is None else photo.source
        for photo, labels in zip(photos, read, strict=True)
    ]


def _kept(photo: Photo, source: np.ndarray | None, rule: Keep) -> np.ndarray | None:
    """The pixels of a photo to keep, bool `[height, width]`; None for none."""
    if photo.keep is not None:
        return photo.keep
    return photo.classes == source if rule is Keep.UNCHANGED else None


def _pasted(
    photo: Photo,
    made: np.ndarray,
    source: np.ndarray | None,
    region: np.ndarray | None,
    channels: int,
) -> EditedPhoto:
    """What was made in the size of the model, around the kept pixels of the photo."""
    size = photo.pixels.shape[:2]
    image = resize_image(made, size, channels)
    if region is not None:
        given = resize_image(photo.pixels, size, channels)
        image = np.where(region[..., None], given, image)
    return EditedPhoto(image, source, region, made.shape[:2] != size)


def _resized(classes: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Classes `[height, width]` in another size, int32; a label stays what it is."""
    classes = np.asarray(classes, np.int32)
    height, width = size
    return resize_mask(classes, (height, width)) if classes.ndim == 2 else classes


def _check_sizes(photo: Photo) -> None:
    """Raises a ValueError if a mask or region does not lie over the photo."""
    height, width = photo.pixels.shape[:2]
    masks = {"mask": photo.classes, "old mask": photo.source, "region to keep": photo.keep}
    for name, mask in masks.items():
        if mask is not None and np.ndim(mask) == 2 and mask.shape != (height, width):
            raise ValueError(
                f"{photo.name} is {width}x{height} but its {name} is "
                f"{mask.shape[1]}x{mask.shape[0]} (width x height); make the {name} in the size of "
                "the photo."
            )
