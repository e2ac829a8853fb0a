"""The two leaves of the joint state: an image and its semantics."""

from typing import Any, NamedTuple


class JointState(NamedTuple):
    """One value for the image and one for the semantics.

    The same pair holds data, noise, interpolants, clocks and velocities, so that
    `jax.tree.map` writes each formula once for both leaves.
    """

    image: Any
    semantics: Any
