"""Images of masks or labels, by a trained model; `editing` changes images that exist."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from symmflow_jax.config.schema import ranges
from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.inference import batched
from symmflow_jax.inference.canvas.generation import generate_on_canvas
from symmflow_jax.inference.given.conditions import fitted_mask, given_labels, given_masks
from symmflow_jax.inference.given.keys import Key, as_key
from symmflow_jax.inference.results.generated import Images

if TYPE_CHECKING:
    from symmflow_jax.inference.model import Model


def from_masks(
    model: "Model",
    masks: Any,
    key: Key,
    num_steps: int,
    solver: str,
    guidance: Guidance,
    batch_size: int,
    view: Mapping[str, Any],
) -> Any:
    """Images of masks of any size, as `Model.generate` gives them; with its errors.

    Args:
        model: the model.
        masks: the masks, as users give them.
        key, num_steps, solver, guidance, batch_size: as in `Model.generate`.
        view: the arguments of `Model.view` by name; empty for the geometry of the training.
    """
    given = given_masks(masks, model.schema, model.experiment.mask_colours)
    if view:
        options = model.view(**view), model.solver(solver, num_steps), guidance
        made = [
            generate_on_canvas(model.method, model.weights, mask, (as_key(key), number), *options)
            for number, mask in enumerate(given.items)
        ]
    else:
        preparation = model.experiment.preparation
        fitted = (fitted_mask(mask, preparation, "The mask") for mask in given.items)
        made = arrays(model, fitted, key, num_steps, solver, guidance, batch_size)
    return given.as_given(Images.of(made))


def from_labels(
    model: "Model",
    labels: Any,
    key: Key,
    num_steps: int,
    solver: str,
    guidance: Guidance,
    batch_size: int,
) -> Any:
    """Images or points of labels, as `Model.generate` gives them; arguments as in `from_masks`."""
    given = given_labels(labels, model.schema)
    made = arrays(model, given.items, key, num_steps, solver, guidance, batch_size)
    if len(model.image_shape) == 1:
        return made[0] if given.is_one else np.stack(made)
    return given.as_given(Images.of(made))


def arrays(
    model: "Model",
    conditions: Iterable[np.ndarray],
    key: Key,
    num_steps: int,
    solver: str,
    guidance: Guidance,
    batch_size: int,
) -> list[np.ndarray]:
    """The image of each mask in the model's size, or of each label.

    Args:
        model: the model.
        conditions: int32 masks `[height, width]`, or scalar labels.
        key, num_steps, solver, guidance, batch_size: as in `Model.generate`.

    Returns:
        uint8 images `[height, width, channels]`, or float32 points `[n]`.

    Raises:
        ValueError: as `Model.generate`.
    """
    ranges.check_count("batch_size", batch_size)
    made = batched.generate_each(
        model.method,
        model.weights,
        conditions,
        as_key(key),
        model.solver(solver, num_steps),
        guidance,
        batch_size,
    )
    return list(made)
