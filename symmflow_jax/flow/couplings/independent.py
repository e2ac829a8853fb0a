"""The independent coupling, as in the paper."""

import dataclasses

from jaxtyping import Array, Key

from symmflow_jax.flow.state import JointState


@dataclasses.dataclass(frozen=True)
class IndependentCoupling:
    """Each example keeps the noise that was drawn for it (arXiv 2506.10634, algorithm 1)."""

    def couple(self, key: Key[Array, ""], data: JointState, noise: JointState) -> JointState:
        """Returns the noise without any change."""
        del key, data
        return noise
