"""What a coupling is."""

from typing import Protocol

import jax

from symmflow_jax.flow.state import JointState


class Coupling(Protocol):
    """The joint law of data and fresh noise, on a device's part of a batch.

    A coupling is joint, since which noise goes with an image may depend on its semantics. One that
    exchanges noise between examples makes a result depend on the batch, and on how devices share
    it, where the independent one does not.
    """

    def couple(self, key: jax.Array, data: JointState, noise: JointState) -> JointState:
        """The noise to go with the data.

        Args:
            key: a key of the device's part, for what is drawn; it may be left alone.
            data: clean image and semantics, float `[batch, ...]`.
            noise: standard normal arrays of the same shapes.

        Returns:
            noise of the same law and shapes.
        """
