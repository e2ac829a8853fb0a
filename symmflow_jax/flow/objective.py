"""The training objective: weighted squared errors of the two velocities."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from symmflow_jax.flow.clocks import Velocity
from symmflow_jax.flow.leaves import Leaves
from symmflow_jax.flow.path import LinearPath, interpolate, velocity_target


class Losses(NamedTuple):
    """Losses of each example, float32 `[batch]`."""

    total: jax.Array
    image: jax.Array
    semantics: jax.Array


def symmetric_loss(
    velocity: Velocity,
    path: LinearPath,
    data: Leaves,
    noise: Leaves,
    times: Leaves,
    image_weight: float,
) -> Losses:
    """`image_weight * |v_x error|^2 + (1 - image_weight) * |v_y error|^2`, means over the entries.

    arXiv 2506.10634, equation 9 (there called lambda).

    Args:
        velocity: the network with its parameters bound.
        path: the probability path.
        data: clean image and semantics, float `[batch, ...]`.
        noise: standard normal arrays of the same shapes.
        times: float `[batch]` in [0, 1] for each leaf.
        image_weight: weight of the image's part, in [0, 1].
    """
    velocity_pred = velocity(interpolate(path, data, noise, times), times)
    errors = jax.tree.map(_mean_squared_error, velocity_pred, velocity_target(path, data, noise))
    total = image_weight * errors.image + (1.0 - image_weight) * errors.semantics
    return Losses(total=total, image=errors.image, semantics=errors.semantics)


def _mean_squared_error(pred: jax.Array, target: jax.Array) -> jax.Array:
    error = pred.astype(jnp.float32) - target.astype(jnp.float32)
    return jnp.mean(jnp.square(error), axis=tuple(range(1, error.ndim)))
