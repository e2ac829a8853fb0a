"""The Inception network whose pooled features the Fréchet Inception distance compares.

Inception-v3 (Szegedy et al., arXiv 1512.00567) as trained in TensorFlow in 2015 and used by
Heusel et al. (arXiv 1706.08500). It differs from the network of that name in torchvision: average
pools leave the padding out of the count, and the last block pools the maximum.
"""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Float32, UInt8

from symmflow_jax.flow.shapes import AnyArray, Grid

Pooled = Float[Array, "batch new_height new_width new_channels"]
"""Features on another grid."""

NUM_FEATURES = 2048
_SIZE = 299


class Inception(nn.Module):
    """Images to pooled features.

    Layers are called as in torchvision, which the published weights follow.
    """

    @nn.compact
    def __call__(
        self, images: UInt8[AnyArray, "batch height width 3"]
    ) -> Float32[Array, "batch 2048"]:
        """Features, float32 `[batch, 2048]`, of uint8 images `[batch, height, width, 3]`."""
        x = _resize(images)
        x = _Conv(32, (3, 3), 2, "VALID", name="Conv2d_1a_3x3")(x)
        x = _Conv(32, (3, 3), padding="VALID", name="Conv2d_2a_3x3")(x)
        x = _Conv(64, (3, 3), name="Conv2d_2b_3x3")(x)
        x = _halve(x)
        x = _Conv(80, (1, 1), name="Conv2d_3b_1x1")(x)
        x = _Conv(192, (3, 3), padding="VALID", name="Conv2d_4a_3x3")(x)
        x = _halve(x)
        x = _BlockA(32, name="Mixed_5b")(x)
        x = _BlockA(64, name="Mixed_5c")(x)
        x = _BlockA(64, name="Mixed_5d")(x)
        x = _BlockB(name="Mixed_6a")(x)
        x = _BlockC(128, name="Mixed_6b")(x)
        x = _BlockC(160, name="Mixed_6c")(x)
        x = _BlockC(160, name="Mixed_6d")(x)
        x = _BlockC(192, name="Mixed_6e")(x)
        x = _BlockD(name="Mixed_7a")(x)
        x = _BlockE(pool=_average, name="Mixed_7b")(x)
        x = _BlockE(pool=_maximum, name="Mixed_7c")(x)
        return jnp.mean(x, axis=(1, 2))


def _resize(
    images: UInt8[AnyArray, "batch height width channels"],
) -> Float32[Array, "batch 299 299 channels"]:
    """Float32 in [-1, 1], 299 x 299; without smoothing before shrinking, as in the reference."""
    batch, _, _, channels = images.shape
    signal = images.astype(jnp.float32) / 127.5 - 1.0
    return jax.image.resize(
        signal, (batch, _SIZE, _SIZE, channels), jax.image.ResizeMethod.LINEAR, antialias=False
    )


class _Conv(nn.Module):
    """Convolution, normalisation with stored statistics, ReLU."""

    features: int
    kernel: tuple[int, int]
    stride: int = 1
    padding: str = "SAME"

    @nn.compact
    def __call__(self, x: Grid) -> Pooled:
        x = nn.Conv(
            self.features,
            self.kernel,
            self.stride,
            self.padding,
            use_bias=False,
            # Accelerators would round to bfloat16 or TF32, and move the distance.
            precision=jax.lax.Precision.HIGHEST,
            name="conv",
        )(x)
        x = nn.BatchNorm(use_running_average=True, epsilon=1e-3, name="bn")(x)
        return nn.relu(x)


class _BlockA(nn.Module):
    pool_features: int

    @nn.compact
    def __call__(self, x: Grid) -> Pooled:
        single = _Conv(64, (1, 1), name="branch1x1")(x)
        large = _Conv(48, (1, 1), name="branch5x5_1")(x)
        large = _Conv(64, (5, 5), name="branch5x5_2")(large)
        double = _Conv(64, (1, 1), name="branch3x3dbl_1")(x)
        double = _Conv(96, (3, 3), name="branch3x3dbl_2")(double)
        double = _Conv(96, (3, 3), name="branch3x3dbl_3")(double)
        pooled = _Conv(self.pool_features, (1, 1), name="branch_pool")(_average(x))
        return _join(single, large, double, pooled)


class _BlockB(nn.Module):
    @nn.compact
    def __call__(self, x: Grid) -> Pooled:
        single = _Conv(384, (3, 3), 2, "VALID", name="branch3x3")(x)
        double = _Conv(64, (1, 1), name="branch3x3dbl_1")(x)
        double = _Conv(96, (3, 3), name="branch3x3dbl_2")(double)
        double = _Conv(96, (3, 3), 2, "VALID", name="branch3x3dbl_3")(double)
        return _join(single, double, _halve(x))


class _BlockC(nn.Module):
    inner_features: int

    @nn.compact
    def __call__(self, x: Grid) -> Pooled:
        inner = self.inner_features
        single = _Conv(192, (1, 1), name="branch1x1")(x)
        large = _Conv(inner, (1, 1), name="branch7x7_1")(x)
        large = _Conv(inner, (1, 7), name="branch7x7_2")(large)
        large = _Conv(192, (7, 1), name="branch7x7_3")(large)
        double = _Conv(inner, (1, 1), name="branch7x7dbl_1")(x)
        double = _Conv(inner, (7, 1), name="branch7x7dbl_2")(double)
        double = _Conv(inner, (1, 7), name="branch7x7dbl_3")(double)
        double = _Conv(inner, (7, 1), name="branch7x7dbl_4")(double)
        double = _Conv(192, (1, 7), name="branch7x7dbl_5")(double)
        pooled = _Conv(192, (1, 1), name="branch_pool")(_average(x))
        return _join(single, large, double, pooled)


class _BlockD(nn.Module):
    @nn.compact
    def __call__(self, x: Grid) -> Pooled:
        small = _Conv(192, (1, 1), name="branch3x3_1")(x)
        small = _Conv(320, (3, 3), 2, "VALID", name="branch3x3_2")(small)
        large = _Conv(192, (1, 1), name="branch7x7x3_1")(x)
        large = _Conv(192, (1, 7), name="branch7x7x3_2")(large)
        large = _Conv(192, (7, 1), name="branch7x7x3_3")(large)
        large = _Conv(192, (3, 3), 2, "VALID", name="branch7x7x3_4")(large)
        return _join(small, large, _halve(x))


class _BlockE(nn.Module):
    pool: Callable[[Grid], Pooled]

    @nn.compact
    def __call__(self, x: Grid) -> Pooled:
        single = _Conv(320, (1, 1), name="branch1x1")(x)
        small = _Conv(384, (1, 1), name="branch3x3_1")(x)
        wide = _Conv(384, (1, 3), name="branch3x3_2a")(small)
        high = _Conv(384, (3, 1), name="branch3x3_2b")(small)
        double = _Conv(448, (1, 1), name="branch3x3dbl_1")(x)
        double = _Conv(384, (3, 3), name="branch3x3dbl_2")(double)
        double_wide = _Conv(384, (1, 3), name="branch3x3dbl_3a")(double)
        double_high = _Conv(384, (3, 1), name="branch3x3dbl_3b")(double)
        pooled = _Conv(192, (1, 1), name="branch_pool")(self.pool(x))
        return _join(single, wide, high, double_wide, double_high, pooled)


def _join(*branches: Array) -> Grid:
    return jnp.concatenate(branches, axis=-1)


def _halve(x: Grid) -> Pooled:
    return nn.max_pool(x, (3, 3), (2, 2), "VALID")


def _average(x: Grid) -> Pooled:
    return nn.avg_pool(x, (3, 3), (1, 1), "SAME", count_include_pad=False)


def _maximum(x: Grid) -> Pooled:
    return nn.max_pool(x, (3, 3), (1, 1), "SAME")
