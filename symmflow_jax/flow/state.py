"""The joint state of the flow: an image and its semantics."""

from collections.abc import Callable
from typing import Any, NamedTuple


class JointState(NamedTuple):
    """One value for the image and one for the semantics, the two components.

    The same pair holds data, noise, interpolants, times and velocities, and what each component
    has of its own: its path, its parameterization, its weight in the loss.
    """

    image: Any
    semantics: Any


IN_ALL = JointState(1.0, 1.0)
"""The shares of examples that have each component, if all have both."""


def map_components(function: Callable[..., Any], *states: JointState) -> JointState:
    """The function's results for both components.

    Other than `jax.tree.map` it hands over each component whole, whatever it is.
    """
    return JointState(*(function(*components) for components in zip(*states, strict=True)))
