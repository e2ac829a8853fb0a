"""Codes of unknown pixels that are compared with the one of `OneHot`."""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Integer, Key

from symmflow_jax.codecs.pixels import PixelCodec
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.semantics.categorical import CategoricalParameterization
from symmflow_jax.semantics.one_hot import OneHot


@dataclasses.dataclass(frozen=True)
class NoiseCode(OneHot):
    """Unknown pixels are standard normal noise, as all pixels are at t = 1."""

    def encode(
        self, key: Key[Array, ""], labels: Integer[Array, "*labels"]
    ) -> Float[Array, "... {self.num_classes}"]:
        """The clean codes, and noise where labels are unknown."""
        codes = self.encode_clean(labels)
        noise = jax.random.normal(key, codes.shape)
        return jnp.where((labels >= 0)[..., None], codes, noise)


@dataclasses.dataclass(frozen=True)
class PlaneCode(OneHot):
    """Unknown pixels have a plane of their own behind those of the classes, without a logit."""

    def encode(
        self, key: Key[Array, ""], labels: Integer[Array, "*labels"]
    ) -> Float[Array, "... planes"]:
        """Returns the clean codes."""
        del key
        return self.encode_clean(labels)

    def encode_clean(self, labels: Integer[Array, "*labels"]) -> Float[Array, "... planes"]:
        """Float32 `[..., classes + 1]`, 1 or -1, of int `[...]`."""
        places = jnp.where(labels < 0, self.num_classes, labels)
        return 2.0 * jax.nn.one_hot(places, self.num_classes + 1) - 1.0

    def mean_code(
        self, probabilities: Float[Array, "... {self.num_classes}"]
    ) -> Float[Array, "... planes"]:
        """The expected code `[..., classes + 1]`; nothing is unknown in it."""
        none = jnp.zeros_like(probabilities[..., :1])
        return 2.0 * jnp.concatenate([probabilities, none], axis=-1) - 1.0

    def probabilities(
        self, signal: Float[Array, "... planes"]
    ) -> Float[Array, "... {self.num_classes}"]:
        """Probabilities of the classes from their planes."""
        return OneHot.probabilities(self, signal[..., : self.num_classes])

    def decode(self, signal: Float[Array, "... planes"]) -> Int[Array, "..."]:
        """The most probable class, int32 `[...]`."""
        return OneHot.decode(self, signal[..., : self.num_classes])

    def signal_shape(self, image_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the signal beside an image."""
        return (*image_shape[:-1], self.num_classes + 1)


@dataclasses.dataclass(frozen=True)
class PlaneParameterization(CategoricalParameterization):
    """Logits of the classes alone, as of `PlaneCode`."""

    def _logits(self, output: Float[Array, "..."]) -> Float[Array, "..."]:
        assert isinstance(self.encoding, OneHot), "see with_code"
        return super()._logits(output[..., : self.encoding.num_classes])


def with_code(method: SymmFlow, code: type[OneHot]) -> SymmFlow:
    """The method of one-hot masks with another code of unknown pixels."""
    codec, own = method.codec, method.codec.encoding
    assert isinstance(codec, PixelCodec) and isinstance(own, OneHot), "of pixels and one-hot masks"
    encoding = code(own.num_classes, own.spatial_shape, has_unknown=True)
    learned = PlaneParameterization if code is PlaneCode else CategoricalParameterization
    weight = method.parameterizations.semantics.cross_entropy_weight
    semantics = learned(encoding, cross_entropy_weight=weight)
    return dataclasses.replace(
        method,
        codec=dataclasses.replace(codec, encoding=encoding),
        parameterizations=method.parameterizations._replace(semantics=semantics),
    )
