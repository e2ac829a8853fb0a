"""A method whose answer at a pixel depends on that pixel alone."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.typing import DTypeLike

from symmflow_jax.codecs.pixels import PixelCodec
from symmflow_jax.flow.parameterizations.velocity import VelocityParameterization
from symmflow_jax.flow.state import JointState
from symmflow_jax.flow.time_sampling import TimeSampling
from symmflow_jax.inference.canvas.reading import Reader
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.methods.weights import Weights
from symmflow_jax.semantics.categorical import CategoricalParameterization
from symmflow_jax.semantics.one_hot import OneHot
from symmflow_jax.semantics.palette_mask import PaletteMask

COLOURS = ((250, 0, 0), (0, 250, 0), (0, 0, 250), (120, 120, 120))
WINDOW = (8, 12)


class Pixelwise(nn.Module):
    """Logits of a pixel are nearest to its colour; or, without classes, its velocity is the code.

    Attributes:
        is_one_hot: whether logits are asked for.
        dtype: that of networks in general, which this one does not use.
    """

    is_one_hot: bool
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(self, x_t, y_t, t, dropout_keys=None):
        colours = jnp.asarray(COLOURS, jnp.float32) / 127.5 - 1.0
        distances = jnp.sum(jnp.square(x_t[..., None, :] - colours[None, None, None]), axis=-1)
        if self.is_one_hot:
            return jnp.zeros_like(x_t), -3.0 * distances
        nearest = colours[jnp.argmin(distances, axis=-1)]
        return jnp.zeros_like(x_t), y_t - nearest


def _reader(encoding, parameterization, is_one_hot: bool, mirrored=()) -> Reader:
    method = SymmFlow(
        Pixelwise(is_one_hot),
        PixelCodec(encoding, (*WINDOW, 3)),
        parameterizations=JointState(VelocityParameterization(), parameterization),
        time_sampling=TimeSampling(0.25, 0.25, 0.25, 0.25),
        holds_clean=True,
    )
    return Reader(method, Weights({}), len(COLOURS), mirrored)


@pytest.fixture
def reader():
    """A reader of probabilities."""
    encoding = OneHot(len(COLOURS))
    return _reader(encoding, CategoricalParameterization(encoding), True)


@pytest.fixture
def voting_reader():
    """A reader of votes."""
    return _reader(PaletteMask(COLOURS, 4.0), VelocityParameterization(), False)


@pytest.fixture
def painted():
    """A function from a shape to a picture in the colours, with a little noise, and its mask."""

    def paint(height: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        mask = rng.integers(len(COLOURS), size=(height, width))
        noise = rng.integers(-20, 21, size=(height, width, 3))
        picture = np.clip(np.asarray(COLOURS)[mask] + noise, 0, 255).astype(np.uint8)
        return picture, mask.astype(np.int32)

    return paint


@pytest.fixture
def noise():
    """The origin of a picture's noise."""
    return lambda number: (jax.random.key(3), number)
