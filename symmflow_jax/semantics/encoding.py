"""Encodings: labels to a continuous signal, and back."""

from typing import Protocol, runtime_checkable

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Integer, Key

from symmflow_jax.semantics.labels import LabelSchema


class Encoding(Protocol):
    """A conversion of labels into a continuous signal and back.

    `encode` dequantises with the key; `encode_clean` gives the codes themselves. Both take
    int arrays `[...]`, and `decode` inverts them from float `[..., *signal]`.

    An encoding of masks whose attribute `has_unknown` is True has a code for unknown pixels, -1,
    which `decode` never gives.
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

    def encode(
        self, key: Key[Array, ""], labels: Integer[Array, "*labels"]
    ) -> Float[Array, "... channels"]: ...

    def encode_clean(self, labels: Integer[Array, "*labels"]) -> Float[Array, "... channels"]: ...

    def decode(self, signal: Float[Array, "... channels"]) -> Int[Array, "..."]: ...

    def confidence(
        self, signal: Float[Array, "... channels"], labels: Integer[Array, "*labels"]
    ) -> Float[Array, "*labels"]:
        """The confidence in given labels, float32 in [0, 1], shaped as the labels."""

    def signal_shape(self, image_shape: tuple[int, ...]) -> tuple[int, ...]: ...


@runtime_checkable
class ProbabilityEncoding(Encoding, Protocol):
    """An encoding whose mean codes are class probabilities.

    Attributes:
        spatial_shape: grid over which one code is repeated; empty for masks and points.
    """

    @property
    def spatial_shape(self) -> tuple[int, ...]: ...

    @property
    def has_unknown(self) -> bool: ...

    def mean_code(
        self, probabilities: Float[Array, "... classes"]
    ) -> Float[Array, "... channels"]: ...

    def probabilities(
        self, signal: Float[Array, "... channels"]
    ) -> Float[Array, "... classes"]: ...


@runtime_checkable
class DequantizedEncoding(Encoding, Protocol):
    """An encoding that adds uniform noise to its codes, so that its signals have a density."""

    @property
    def noise_width(self) -> float:
        """Width of the noise of each entry of the signal; 0 for none.

        The noise of one code reaches that of no other one.
        """


@runtime_checkable
class ClassEncoding(Encoding, Protocol):
    """An encoding of one label for the whole image, with a continuous read-out."""

    def decode_continuous(self, signal: Float[Array, "... channels"]) -> Float[Array, "..."]: ...

    def distances(self, signal: Float[Array, "... channels"]) -> Float[Array, "... classes"]: ...


def inverse_distance_shares(
    distances: Float[Array, "... classes"],
) -> Float[Array, "... classes"]:
    """Probabilities of classes by distances: the inverse of each, divided by their sum.

    Of two classes these are their `nearness`. A class at no distance has all of the probability.

    Args:
        distances: from the code of each class, not negative, float `[..., classes]`.
    """
    inverse = 1.0 / jnp.maximum(distances, 1e-12)
    return inverse / jnp.sum(inverse, axis=-1, keepdims=True)


def nearness(
    distance: Float[Array, "*shape"], nearest_other: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    """The confidence in a label by distances: 1 on its code, 1/2 halfway to the next code.

    One step from t = 1 gives the posterior mean of the code. If the posterior is split between two
    neighbouring codes, `other / (own + other)` is therefore the probability of the label.

    Args:
        distance: to the code of the label, float `[...]`.
        nearest_other: to the nearest code of another label, float `[...]`.
    """
    total = distance + nearest_other
    share = nearest_other / jnp.where(total > 0, total, 1.0)
    return jnp.where(total > 0, share, 0.5)
