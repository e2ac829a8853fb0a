"""Edits of arrays by a trained model, in its own size; `photo_edits` has photos of any size."""

import enum
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.data.batch import Images, Points
from symmflow_jax.flow.solvers import fixed_steps
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.inference.given.arrays import checked_region
from symmflow_jax.inference.given.conditions import given_labels
from symmflow_jax.inference.given.examples import given_points
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
    rule = rule_of(model, keep, has_source=source is not Source.NONE)
    index = jnp.arange(len(conditions))
    old = None
    if source is Source.READ:
        old = _read(model, images, key)
    elif not isinstance(source, Source):
        old = np.asarray(source, np.int32)
    region = keep if isinstance(keep, np.ndarray) else None
    if region is None and rule is Keep.UNCHANGED:
        region = conditions == old
    made = predictions.edit(
        model.method, model.weights, key, index, images, conditions, old, region, solve, editing
    )
    return Edited(np.asarray(made.images), old, region, np.asarray(made.nfe))


def of_points(
    model: "Model",
    points: Any,
    labels: Any,
    key: jax.Array,
    solve: Solve,
    *,
    source: Any,
    keep: Any,
    editing: Editing,
) -> np.ndarray:
    """Edited points, float32 `[n]` or `[batch, n]`, as `Model.edit` gives them; with its errors.

    Args:
        model: a model of points.
        points: float `[n]` or `[batch, n]`.
        labels, source, keep, editing: as in `Model.edit`.
        key: origin of the noise.
        solve: the solver.
    """
    given, _ = given_points(points, model.image_shape)
    count = len(given.items)

    def labels_of(values: Any, name: str) -> np.ndarray:
        found = given_labels(values, model.schema)
        return np.asarray(found.for_each(count, "points", name), np.int32)

    source, keep = named_rule(Source, source), named_rule(Keep, keep)
    if not isinstance(source, Source):
        source = labels_of(source, "source")
    if not isinstance(keep, Keep | None):
        region = np.asarray(keep)
        keep = checked_region(
            np.broadcast_to(region, (count, *region.shape)) if region.ndim == 1 else region,
            model.image_shape,
        )
    made = edit(
        model,
        Points(np.stack(given.items)),
        labels_of(labels, "conditions"),
        key,
        solve,
        source=source,
        keep=keep,
        editing=editing,
    ).images
    return made[0] if given.is_one else made


def named_rule(rules: type[enum.Enum], value: Any) -> Any:
    """The rule of `Source` or `Keep` that a name means; all else as it is."""
    is_name = isinstance(value, str) and value in {rule.value for rule in rules}
    return rules(value) if is_name else value


def rule_of(model: "Model", keep: np.ndarray | Keep | None, *, has_source: bool) -> Keep:
    """The rule of what to keep where no region is given.

    Args:
        model: the model.
        keep: as in `edit`.
        has_source: whether there are old classes, given or read.

    Raises:
        ValueError: if there are no old masks to compare with.
    """
    if isinstance(keep, Keep):
        rule = keep
    else:
        by_default = keep is None and model.reads_masks
        rule = Keep.UNCHANGED if by_default and has_source else Keep.NONE
    if rule is Keep.UNCHANGED and not model.reads_masks:
        raise ValueError(
            "What is unchanged shows in masks, and this model knows labels; keep nothing, or give "
            "the region to keep."
        )
    if rule is Keep.UNCHANGED and not has_source:
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
