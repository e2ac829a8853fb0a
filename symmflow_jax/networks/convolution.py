"""A convolution whose gradients are fast on CPU in loops too."""

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

_LAYOUT = ("NHWC", "HWIO", "NHWC")

_Padding = tuple[tuple[int, int], ...]


def convolve(
    x: jax.Array,
    kernel: jax.Array,
    strides: Sequence[int],
    padding: Sequence[tuple[int, int]],
    **_: Any,
) -> jax.Array:
    """`jax.lax.conv_general_dilated` of images, without dilations or groups.

    XLA's CPU backend has a fast convolution for one layout of images and kernels. The gradients
    that JAX writes have others; they are brought to this one, but not inside a loop, such as
    that over microbatches, where they then take a hundred times as long. So on CPU they are
    written in this layout. The sums are the same.

    Args:
        x: `[batch, height, width, channels]`.
        kernel: `[height, width, channels, features]`.
        strides: pixels between two windows, vertically and horizontally.
        padding: pixels before and behind, vertically and horizontally.
        **_: what else `flax.linen.Conv` says of a convolution like this one.
    """
    return _convolve(x, kernel, tuple(strides), tuple(padding))


def _plain(
    x: jax.Array, kernel: jax.Array, strides: tuple[int, ...], padding: _Padding
) -> jax.Array:
    return jax.lax.conv_general_dilated(x, kernel, strides, padding, dimension_numbers=_LAYOUT)


_convolve = jax.custom_vjp(_plain, nondiff_argnums=(2, 3))


def _forward(x: jax.Array, kernel: jax.Array, strides: tuple[int, ...], padding: _Padding):
    return _plain(x, kernel, strides, padding), (x, kernel)


def _backward(strides: tuple[int, ...], padding: _Padding, operands, grad: jax.Array):
    def as_jax_does(x: jax.Array, kernel: jax.Array, grad: jax.Array):
        return jax.vjp(lambda x, kernel: _plain(x, kernel, strides, padding), x, kernel)[1](grad)

    in_one_layout = functools.partial(_gradients, strides, padding)
    return jax.lax.platform_dependent(*operands, grad, cpu=in_one_layout, default=as_jax_does)


def _gradients(
    strides: tuple[int, ...], padding: _Padding, x: jax.Array, kernel: jax.Array, grad: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The gradients by input and kernel, as two convolutions in the fast layout."""
    sizes = zip(x.shape[1:3], kernel.shape[:2], grad.shape[1:3], strides, padding, strict=True)
    input_padding, kernel_padding = [], []
    for length, window, grad_length, stride, (before, _) in sizes:
        spread = stride * (grad_length - 1) + 1
        input_padding.append((window - 1 - before, length - spread + before))
        kernel_padding.append((before, spread + window - 1 - length - before))
    convolution = functools.partial(jax.lax.conv_general_dilated, dimension_numbers=_LAYOUT)
    flipped = jnp.swapaxes(jnp.flip(kernel, (0, 1)), 2, 3)
    by_input = convolution(grad, flipped, (1, 1), input_padding, lhs_dilation=strides)
    # Channels take the place of the examples, over which the sums go.
    images, windows = jnp.transpose(x, (3, 1, 2, 0)), jnp.transpose(grad, (1, 2, 0, 3))
    by_kernel = convolution(images, windows, (1, 1), kernel_padding, rhs_dilation=strides)
    return by_input, jnp.transpose(by_kernel, (1, 2, 0, 3))


_convolve.defvjp(_forward, _backward)
