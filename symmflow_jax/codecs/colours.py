"""Changes of the colours of images, as `ColorJitter` of torchvision defines them.

Images are float `[height, width, channels]` in [0, 1], with 3 channels unless a function says
otherwise. Results are cut off to [0, 1].
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from symmflow_jax.flow.shapes import AnyArray, Scalar

Picture = Float[AnyArray, "height width channels"]

_LUMINANCE = (0.2989, 0.587, 0.114)
"""Weights of red, green and blue in the grey of torchvision (ITU-R BT.601)."""


def brightened(image: Picture, factor: Scalar) -> Float[Array, "height width channels"]:
    """All values times a factor; any channels."""
    return jnp.clip(factor * image, 0.0, 1.0)


def contrasted(image: Picture, factor: Scalar) -> Float[Array, "height width channels"]:
    """The distance of all values from the image's mean grey times a factor; any channels."""
    return _blended(image, jnp.mean(grey(image)), factor)


def saturated(image: Picture, factor: Scalar) -> Float[Array, "height width channels"]:
    """The distance of each pixel's colour from its grey times a factor."""
    return _blended(image, grey(image), factor)


def hue_turned(image: Picture, turn: Scalar) -> Float[Array, "height width channels"]:
    """The hue of each pixel, in the model of hue, saturation and value, turned.

    Args:
        image: see the module.
        turn: share of the whole circle of hues, in [-0.5, 0.5].
    """
    value, least = jnp.max(image, axis=-1), jnp.min(image, axis=-1)
    chroma = value - least
    hue = (_hue(image, chroma) + turn) % 1.0
    # Each channel is the value less a share of the chroma, which is a trapezoid of the hue.
    around = jnp.stack([(offset + 6.0 * hue) % 6.0 for offset in (5.0, 3.0, 1.0)], axis=-1)
    share = jnp.clip(jnp.minimum(around, 4.0 - around), 0.0, 1.0)
    return jnp.clip(value[..., None] - chroma[..., None] * share, 0.0, 1.0)


def grey(image: Picture) -> Float[Array, "height width 1"]:
    """The grey of each pixel: the luminance of 3 channels, otherwise their mean."""
    if image.shape[-1] == 3:
        weights = jnp.asarray(_LUMINANCE, image.dtype).reshape(1, 1, 3)
        return jnp.sum(image * weights, axis=-1, keepdims=True)
    return jnp.mean(image, axis=-1, keepdims=True)


def _blended(image: Picture, other: jax.Array, factor: Scalar) -> jax.Array:
    return jnp.clip(factor * image + (1.0 - factor) * other, 0.0, 1.0)


def _hue(image: Picture, chroma: jax.Array) -> jax.Array:
    """The hue of each pixel in [0, 1); 0 for grey ones."""
    red, green, blue = jnp.moveaxis(image, -1, 0)
    safe = jnp.where(chroma > 0.0, chroma, 1.0)
    # The largest channel decides. No test of equality, which fails where a fused program computes
    # one value twice and rounds it in two ways.
    sixths = jnp.where(
        (red >= green) & (red >= blue),
        (green - blue) / safe,
        jnp.where(green >= blue, 2.0 + (blue - red) / safe, 4.0 + (red - green) / safe),
    )
    return jnp.where(chroma > 0.0, sixths / 6.0, 0.0) % 1.0
