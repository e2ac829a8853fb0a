"""The symmetric probability path: as t rises the image emerges and the semantics dissolve."""

import dataclasses

import jax
import jax.numpy as jnp

from symmflow_jax.flow.state import JointState


@dataclasses.dataclass(frozen=True)
class LinearPath:
    """Straight path from `start` (t=0) to `end` (t=1), of which `sigma_min` of the start is left.

    Lipman et al. 2023 (arXiv 2210.02747), equations 20 to 23, with the published
    SymmFlow constant `sigma_min` = 1e-4 (arXiv 2506.10634 writes 0).
    """

    sigma_min: float = 1e-4

    def interpolate(self, start: jax.Array, end: jax.Array, t: jax.Array) -> jax.Array:
        """The point `(1 - (1 - sigma_min) t) start + t end`.

        Args:
            start: float array `[batch, ...]`.
            end: float array of the same shape.
            t: float array `[batch]` in [0, 1].
        """
        t = _expand(t, start.ndim)
        return (1.0 - (1.0 - self.sigma_min) * t) * start + t * end

    def velocity(self, start: jax.Array, end: jax.Array) -> jax.Array:
        """The time derivative of `interpolate`, `end - (1 - sigma_min) start` at all t."""
        return end - (1.0 - self.sigma_min) * start


def endpoints(data: JointState, noise: JointState) -> tuple[JointState, JointState]:
    """Where each leaf is at t=0 and at t=1 (arXiv 2506.10634, section 3).

    The image runs from noise to data and the semantics from data to noise: this
    exchange is the whole of the symmetry.
    """
    start = JointState(image=noise.image, semantics=data.semantics)
    end = JointState(image=data.image, semantics=noise.semantics)
    return start, end


def interpolate(
    path: LinearPath, data: JointState, noise: JointState, times: JointState
) -> JointState:
    """The joint state with each leaf at the time of its own clock.

    Args:
        path: the path of both leaves.
        data: clean image and semantics, float arrays `[batch, ...]`.
        noise: standard normal arrays of the same shapes.
        times: float arrays `[batch]` in [0, 1], one for each leaf.
    """
    start, end = endpoints(data, noise)
    return jax.tree.map(path.interpolate, start, end, times)


def velocity_target(path: LinearPath, data: JointState, noise: JointState) -> JointState:
    """What the network is to predict: the velocity of each leaf, shaped as `data`."""
    start, end = endpoints(data, noise)
    return jax.tree.map(path.velocity, start, end)


def _expand(t: jax.Array, ndim: int) -> jax.Array:
    return jnp.reshape(t, t.shape + (1,) * (ndim - t.ndim))
