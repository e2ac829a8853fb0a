"""Encodings: labels to a continuous signal, and back."""

from typing import Protocol, runtime_checkable

import jax

from symmflow_jax.semantics.labels import LabelSchema


class Encoding(Protocol):
    """What turns labels into a continuous signal and back.

    `encode` dequantises with the key; `encode_clean` gives the codes themselves. Both take
    int arrays `[...]`, and `decode` inverts them from float `[..., *signal]`.
    """

    @classmethod
    def of_classes(
        cls, schema: LabelSchema, spatial_shape: tuple[int, ...], dequantization_beta: float
    ) -> "Encoding":
        """The encoding of a schema's classes.

        Args:
            schema: the classes.
            spatial_shape: `(height, width)` over which one label is repeated; empty for masks and
                points.
            dequantization_beta: strength of the dequantisation noise.
        """

    def encode(self, key: jax.Array, labels: jax.Array) -> jax.Array: ...

    def encode_clean(self, labels: jax.Array) -> jax.Array: ...

    def decode(self, signal: jax.Array) -> jax.Array: ...

    def confidence(self, signal: jax.Array, labels: jax.Array) -> jax.Array:
        """How sure a signal is of given labels, float32 in [0, 1], shaped as they are."""

    def signal_shape(self, image_shape: tuple[int, ...]) -> tuple[int, ...]: ...


@runtime_checkable
class ProbabilityEncoding(Encoding, Protocol):
    """An encoding whose mean codes are class probabilities.

    Attributes:
        spatial_shape: grid over which one code is repeated; empty for masks and points.
    """

    @property
    def spatial_shape(self) -> tuple[int, ...]: ...

    def mean_code(self, probabilities: jax.Array) -> jax.Array: ...

    def probabilities(self, signal: jax.Array) -> jax.Array: ...


@runtime_checkable
class ClassEncoding(Encoding, Protocol):
    """An encoding of one label for the whole image, with a continuous read-out."""

    def decode_continuous(self, signal: jax.Array) -> jax.Array: ...

    def distances(self, signal: jax.Array) -> jax.Array: ...


def nearness(distance: jax.Array, nearest_other: jax.Array) -> jax.Array:
    """How sure a signal is of a label by its distances: 1 on its code, 1/2 halfway to the next.

    One step from t = 1 gives the posterior mean of the code, so that where the posterior is
    split between two neighbouring codes `other / (own + other)` is the probability of the
    label.

    Args:
        distance: to the code of the label, float `[...]`.
        nearest_other: to the nearest code of another label, float `[...]`.
    """
    total = distance + nearest_other
    share = nearest_other / jax.numpy.where(total > 0, total, 1.0)
    return jax.numpy.where(total > 0, share, 0.5)
