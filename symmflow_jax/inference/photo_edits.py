"""Edits of what users have: files, folders, Pillow images, and arrays of any size."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.inference.canvas.editing import Photo, edit_photos
from symmflow_jax.inference.editing import Keep, Source, named_rule
from symmflow_jax.inference.files.editing.partners import partners
from symmflow_jax.inference.given.conditions import given_labels, given_masks
from symmflow_jax.inference.given.images import (
    GivenImage,
    given_images,
    is_place,
    local_path,
)
from symmflow_jax.inference.given.regions import given_regions
from symmflow_jax.inference.results.generated import Images
from symmflow_jax.methods.editing import Editing

if TYPE_CHECKING:
    from symmflow_jax.inference.model import Model


def of_photos(
    model: "Model",
    images: Any,
    conditions: Any,
    key: jax.Array,
    solve: Solve,
    *,
    source: Any,
    keep: Any,
    editing: Editing,
    view: Mapping[str, Any],
) -> Any:
    """Edited photos, as `Model.edit` gives them; with its errors.

    Args:
        model: a model of images.
        images, conditions, source, keep, editing: as in `Model.edit`.
        key: origin of the noise.
        solve: the solver.
        view: the arguments of `Model.view` by name; empty for the geometry of the training.
    """
    given = given_images(images, model.image_shape[-1], model.experiment.photos)
    source, keep = named_rule(Source, source), named_rule(Keep, keep)

    def classes(values: Any, name: str) -> list[np.ndarray]:
        if model.reads_masks:
            masks = _by_names(given.items, values, name)
            found = given_masks(masks, model.schema, model.experiment.mask_colours)
        else:
            found = given_labels(values, model.schema)
        return found.for_each(len(given.items), "images", name)

    new = classes(conditions, "conditions")
    old: list[Any] = [None] * len(new)
    if not isinstance(source, Source):
        old, source = classes(source, "source"), Source.READ
    regions: list[Any] = [None] * len(new)
    if not isinstance(keep, Keep | None):
        found = given_regions(_by_names(given.items, keep, "keep"))
        regions, keep = found.for_each(len(given.items), "images", "keep"), None
    photos = [
        Photo(item.pixels(), mask, source_mask, region, item.name)
        for item, mask, source_mask, region in zip(given.items, new, old, regions, strict=True)
    ]
    edited = edit_photos(
        model,
        photos,
        key,
        solve,
        source=source,
        keep=keep,
        editing=editing,
        view=model.view(**view) if view else None,
    )
    return given.as_given(Images.of(photo.image for photo in edited))


def _by_names(images: Sequence[GivenImage], values: Any, name: str) -> Any:
    """The files of a folder in the order of the images that have their names; all else as it is."""
    paths = [image.path for image in images if image.path is not None]
    if len(paths) < len(images) or not is_place(values):
        return values
    place = local_path(values, name)
    if not place.is_dir():
        return values
    found = partners(paths, str(place), name)
    return [found[path] for path in paths]
