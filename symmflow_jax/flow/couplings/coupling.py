"""The interface of couplings."""

from typing import Protocol

from jaxtyping import Array, Key

from symmflow_jax.flow.state import JointState


class Coupling(Protocol):
    """A joint distribution of data and noise, on one device's part of a batch.

    A coupling sees both components, since the noise of an image may depend on its semantics. If a
    coupling exchanges noise between examples, results depend on the batch and on how devices share
    it. Results of the independent coupling do not.
    """

    def couple(self, key: Key[Array, ""], data: JointState, noise: JointState) -> JointState:
        """Returns the noise that is paired with the data.

        Args:
            key: a key `[]` of the device's part, for random draws; it may stay unused.
            data: clean image and semantics, float `[batch, ...]`.
            noise: standard normal arrays of the same shapes.

        Returns:
            Noise of the same distribution and shapes.
        """
