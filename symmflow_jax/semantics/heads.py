"""Heads: what the network says of the semantics, as a velocity and as a loss."""

import dataclasses
from typing import Protocol

import jax
import jax.numpy as jnp
import optax

from symmflow_jax.flow.objective import mean_squared_error
from symmflow_jax.semantics.one_hot import OneHot
from symmflow_jax.semantics.planes import mean_over_plane

_EARLIEST = 0.01
"""Times below it count as this one where a velocity is divided by the time."""


class Head(Protocol):
    """What is made of the network's output beside the image, `[batch, *signal]`."""

    def velocity(self, output: jax.Array, semantics: jax.Array, t: jax.Array) -> jax.Array:
        """The velocity of the semantics.

        Args:
            output: what the network gave.
            semantics: the state at the time t, shaped like the output.
            t: float scalar or `[batch]`, time of the semantics.
        """

    def loss(self, output: jax.Array, target: jax.Array, labels: jax.Array) -> jax.Array:
        """Float32 `[batch]`.

        Args:
            output: what the network gave.
            target: the velocity of the path that led to the state, shaped like the output.
            labels: int `[batch, ...]`, what the semantics encode.
        """


@dataclasses.dataclass(frozen=True)
class VelocityHead:
    """The output is the velocity; its loss is the mean squared error, as in the paper."""

    def velocity(self, output: jax.Array, semantics: jax.Array, t: jax.Array) -> jax.Array:
        """The output."""
        del semantics, t
        return output

    def loss(self, output: jax.Array, target: jax.Array, labels: jax.Array) -> jax.Array:
        """Mean over the entries of the squared error (arXiv 2506.10634, equation 9)."""
        del labels
        return mean_squared_error(output, target)


@dataclasses.dataclass(frozen=True)
class CategoricalHead:
    """The output holds logits of the classes; the velocity leads to the expected code.

    On the linear path from a code (t = 0) to noise (t = 1) the state y_t tells the velocity if
    the code is known, `(y_t - code) / t`; its mean over the posterior puts the expected code
    there (as denoisers of continuous codes for discrete data do, arXiv 2211.15089).

    Attributes:
        encoding: the one-hot codes.
        amplitude: factor of the codes in the state.
        loss_weight: factor of the cross-entropy.
    """

    encoding: OneHot
    amplitude: float = 1.0
    loss_weight: float = 1.0

    def velocity(self, output: jax.Array, semantics: jax.Array, t: jax.Array) -> jax.Array:
        """From the state away from the expected code, float32.

        At t = 0 only the limit is defined, and nothing is gained by it: earlier times count as
        0.01. Euler steps back from t = 1 never ask there, and end on the expected code.
        """
        probabilities = jax.nn.softmax(self._logits(output), axis=-1)
        code = self.amplitude * self.encoding.mean_code(probabilities)
        t = jnp.maximum(t, _EARLIEST)
        return (semantics - code) / jnp.reshape(t, t.shape + (1,) * (code.ndim - t.ndim))

    def loss(self, output: jax.Array, target: jax.Array, labels: jax.Array) -> jax.Array:
        """The weighted cross-entropy in nats, a mean over the pixels of masks."""
        del target
        entropy = optax.softmax_cross_entropy_with_integer_labels(self._logits(output), labels)
        return self.loss_weight * jnp.mean(entropy, axis=tuple(range(1, entropy.ndim)))

    def _logits(self, output: jax.Array) -> jax.Array:
        """Float32 `[batch, ..., classes]`; those of one label are a mean over its plane."""
        return mean_over_plane(output.astype(jnp.float32), self.encoding.spatial_shape)
