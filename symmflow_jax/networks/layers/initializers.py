"""Initial values of weights, as the published models start."""

import functools
import math
from collections.abc import Callable

import flax.linen as nn
import jax
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Key

fan_in_uniform = nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")
"""U(-1/sqrt(fan_in), 1/sqrt(fan_in)): PyTorch's default for linear and convolution weights."""


def dense_bias(fan_in: int) -> Callable[..., Array]:
    """The same interval for the biases of a layer with `fan_in` inputs."""
    return functools.partial(_uniform, 1 / math.sqrt(fan_in))


def _uniform(
    bound: float, key: Key[Array, ""], shape: tuple[int, ...], dtype: DTypeLike = jax.numpy.float32
) -> Float[Array, "..."]:
    """U(-bound, bound)."""
    return jax.random.uniform(key, shape, dtype, -bound, bound)
