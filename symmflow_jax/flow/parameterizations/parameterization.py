"""What a parameterization is."""

from typing import Any, NamedTuple, Protocol

import jax

from symmflow_jax.flow.paths.path import ComponentPath


class PathPoint(NamedTuple):
    """One component of a batch of training examples, somewhere on its path.

    Attributes:
        point: the component at t, float `[batch, ...]`.
        clean: its data, shaped as the point.
        noise: its noise, shaped as the point.
        t: float `[batch]`.
        labels: int `[batch, ...]` that the data encodes, or None for images.
    """

    point: jax.Array
    clean: jax.Array
    noise: jax.Array
    t: jax.Array
    labels: jax.Array | None


class Parameterization(Protocol):
    """What a network's output for a component means, as a velocity and as a loss.

    It asks the component's path for all conversions, and so fits any path.
    """

    @classmethod
    def of_component(
        cls, encoding: Any, label_scale: float, cross_entropy_weight: float
    ) -> "Parameterization":
        """The parameterization of a component.

        Args:
            encoding: the encoding of the semantics, or None for the image.
            label_scale: factor of the encoding's codes in the state.
            cross_entropy_weight: factor of a cross-entropy.

        Raises:
            ValueError: if it is not for such a component.
        """

    def velocity(
        self, output: jax.Array, point: jax.Array, t: jax.Array, path: ComponentPath
    ) -> jax.Array:
        """The velocity of the component, float `[batch, ...]`.

        Args:
            output: what the network gave, shaped as the component.
            point: the component at t.
            t: float scalar or `[batch]`, the component's time.
            path: the component's path.
        """

    def loss(self, output: jax.Array, at: PathPoint, path: ComponentPath) -> jax.Array:
        """Float32 `[batch]`.

        Args:
            output: what the network gave, shaped as the component.
            at: where on its path the component was, and where that leads.
            path: the component's path.
        """
