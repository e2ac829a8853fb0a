"""The training objective: weighted errors of the two leaves."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from symmflow_jax.flow.path import LinearPath, interpolate, velocity_target
from symmflow_jax.flow.state import JointState
from symmflow_jax.flow.time_sampling import TrainingTimes


class Losses(NamedTuple):
    """Losses of each example, float32 `[batch]`; zero where a leaf is not learned."""

    total: jax.Array
    image: jax.Array
    semantics: jax.Array


def mean_squared_error(pred: jax.Array, target: jax.Array) -> jax.Array:
    """Float32 `[batch]`, the mean over all other axes."""
    error = pred.astype(jnp.float32) - target.astype(jnp.float32)
    return jnp.mean(jnp.square(error), axis=tuple(range(1, error.ndim)))


def symmetric_loss(
    network: Callable[[JointState, JointState], JointState],
    path: LinearPath,
    data: JointState,
    noise: JointState,
    drawn: TrainingTimes,
    image_weight: float,
    semantics_loss: Callable[[jax.Array, jax.Array], jax.Array] = mean_squared_error,
) -> Losses:
    """`image_weight * |v_x error|^2 + (1 - image_weight) * |v_y error|^2`, means over the entries.

    arXiv 2506.10634, equation 9 (there called lambda); with another loss of the semantics if
    the network does not give their velocity.

    Args:
        network: outputs for both leaves of a state and its times.
        path: the probability path.
        data: clean image and semantics, float `[batch, ...]`.
        noise: standard normal arrays of the same shapes.
        drawn: times and which velocities count, each `[batch]`.
        image_weight: weight of the image's part, in [0, 1].
        semantics_loss: of the semantics' output and velocity, `[batch]`.
    """
    output = network(interpolate(path, data, noise, drawn.times), drawn.times)
    target = velocity_target(path, data, noise)
    errors = JointState(
        image=mean_squared_error(output.image, target.image),
        semantics=semantics_loss(output.semantics, target.semantics),
    )
    errors = jax.tree.map(jnp.multiply, errors, drawn.learned)
    total = image_weight * errors.image + (1.0 - image_weight) * errors.semantics
    return Losses(total=total, image=errors.image, semantics=errors.semantics)
