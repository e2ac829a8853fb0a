"""The independent coupling, as in the paper."""

import dataclasses

import jax

from symmflow_jax.flow.state import JointState


@dataclasses.dataclass(frozen=True)
class IndependentCoupling:
    """Each example keeps the noise that was drawn for it (arXiv 2506.10634, algorithm 1)."""

    def couple(self, key: jax.Array, data: JointState, noise: JointState) -> JointState:
        """The noise as it is."""
        del key, data
        return noise
