"""The interface of parameterizations."""

from typing import Any, NamedTuple, Protocol

from jaxtyping import Array, Bool

from symmflow_jax.flow.paths.path import ComponentPath
from symmflow_jax.flow.shapes import Component, Labels, PerExample, Time


class PathPoint(NamedTuple):
    """One component of a batch of training examples, at some time of its path.

    Attributes:
        point: the component at t, float `[batch, ...]`.
        clean: its data, shaped as the point.
        noise: its noise, shaped as the point.
        t: float `[batch]`.
        labels: int `[batch, ...]` that the data encodes, negative where they are unknown; None for
            images.
    """

    point: Component
    clean: Component
    noise: Component
    t: PerExample
    labels: Labels | None


class Parameterization(Protocol):
    """The meaning of a network's output for a component, as a velocity and as a loss.

    The component's path makes all conversions, so that every path fits.
    """

    @classmethod
    def of_component(
        cls, encoding: Any, label_scale: float, cross_entropy_weight: float
    ) -> "Parameterization":
        """The parameterization of a component.

        Args:
            encoding: the encoding of the semantics, or None for the image. Where it `has_unknown`
                pixels, the loss leaves these out.
            label_scale: factor of the encoding's codes in the state.
            cross_entropy_weight: factor of a cross-entropy.

        Raises:
            ValueError: if it does not fit the component.
        """

    def velocity(
        self, output: Component, point: Component, t: Time, path: ComponentPath
    ) -> Component:
        """The velocity of the component, float `[batch, ...]`.

        Args:
            output: the network's output, shaped as the component.
            point: the component at t.
            t: float scalar or `[batch]`, the component's time.
            path: the component's path.
        """

    def loss(self, output: Component, at: PathPoint, path: ComponentPath) -> PerExample:
        """The loss of each example, float32 `[batch]`.

        Args:
            output: the network's output, shaped as the component.
            at: the point on the path, with its endpoints, time and labels.
            path: the component's path.
        """


def known_places(at: PathPoint) -> Bool[Array, " batch *places"]:
    """The places whose labels are known, shaped as the labels."""
    assert at.labels is not None, "images have no labels"
    return at.labels >= 0
