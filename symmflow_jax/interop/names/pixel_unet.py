"""Weights of the pixel U-Net between guided-diffusion's `UNetModel` and `networks.unet.UNet`.

torchcfm and the code of SymmFlow use the same `UNetModel`. The table covers its plain form: time
added as a shift, strided convolutions for downsampling, and nearest-neighbour upsampling with a
convolution. Attention has either order of its channels: by default heads first, then the query, key
and value of each; with `use_new_attention_order`, queries, keys and values first, then their heads.
No name or shape tells which.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from symmflow_jax.interop.names import layouts
from symmflow_jax.interop.names.layouts import (
    CONV,
    LINEAR,
    POINTWISE,
    SAME,
    Entry,
    Layout,
    layer,
    norm,
)
from symmflow_jax.interop.names.unet_shapes import channels_of, param_shapes, shapes_for
from symmflow_jax.networks.velocity.unet import UNet


def params_from_state_dict(
    state_dict: Mapping[str, np.ndarray], network: UNet, new_attention_order: bool = False
) -> dict[str, Any]:
    """The parameters of `network`, float32, from those of a `UNetModel`.

    Args:
        state_dict: array of each name. The first convolution determines the total number of
            channels of image and semantics.
        network: a network of the same widths, depths, attention rates and heads.
        new_attention_order: whether the `UNetModel` was made with `use_new_attention_order`.

    Raises:
        ValueError: naming the keys that are missing, surplus or of another shape.
    """
    shapes = param_shapes(
        network, channels_of(state_dict, "input_blocks.0.0.weight", "out.2.weight")
    )
    table = _table(network, _attention_layouts(network, new_attention_order))
    return layouts.from_state_dict(state_dict, table, shapes, _REMEDY)


def state_dict_from_params(
    params: Mapping[str, Any], network: UNet, new_attention_order: bool = False
) -> dict[str, np.ndarray]:
    """The state dict of a `UNetModel`, float32, from the parameters of `network`.

    Args:
        params: the parameters.
        network: the network.
        new_attention_order: whether the `UNetModel` is made with `use_new_attention_order`.

    Raises:
        ValueError: naming the parameters that are missing, surplus or of another shape.
    """
    table = _table(network, _attention_layouts(network, new_attention_order))
    return layouts.to_state_dict(params, table, shapes_for(params, network), _REMEDY)


class _AttentionLayouts(NamedTuple):
    """Layouts of the kernel and the bias that make queries, keys and values."""

    kernel: Layout
    bias: Layout


def _table(network: UNet, attention: _AttentionLayouts) -> Iterator[Entry]:
    """All arrays of the network, in the order of the `UNetModel`."""
    yield from layer("time_embed.0", ("time", "in_dense"), LINEAR)
    yield from layer("time_embed.2", ("time", "out_dense"), LINEAR)
    widths = [multiplier * network.channels for multiplier in network.channel_multipliers]
    yield from layer("input_blocks.0.0", ("stem",), CONV)
    yield from _descent(network, widths, attention)
    yield from _residual_block("middle_block.0", "middle_block_0", has_skip=False)
    yield from _attention("middle_block.1", "middle_attention", attention)
    yield from _residual_block("middle_block.2", "middle_block_1", has_skip=False)
    yield from _ascent(network, widths, attention)
    yield from norm("out.0", ("out_norm",))
    yield from layer("out.2", ("out_conv",), CONV)


def _descent(network: UNet, widths: list[int], attention: _AttentionLayouts) -> Iterator[Entry]:
    position, before = 1, widths[0]
    for level, width in enumerate(widths):
        for index in range(network.num_res_blocks):
            prefix = f"input_blocks.{position}"
            yield from _residual_block(
                f"{prefix}.0", f"down_{level}_block_{index}", has_skip=before != width
            )
            if 2**level in network.attention_rates:
                yield from _attention(f"{prefix}.1", f"down_{level}_attention_{index}", attention)
            position, before = position + 1, width
        if level < len(widths) - 1:
            yield from layer(f"input_blocks.{position}.0.op", (f"down_{level}_conv",), CONV)
            position += 1


def _ascent(network: UNet, widths: list[int], attention: _AttentionLayouts) -> Iterator[Entry]:
    """The decoder, in which every block has a skip input and so a `skip_connection`."""
    position = 0
    for level in reversed(range(len(widths))):
        attends = 2**level in network.attention_rates
        for index in range(network.num_res_blocks + 1):
            prefix = f"output_blocks.{position}"
            yield from _residual_block(f"{prefix}.0", f"up_{level}_block_{index}", has_skip=True)
            if attends:
                yield from _attention(f"{prefix}.1", f"up_{level}_attention_{index}", attention)
            position += 1
        if level > 0:
            yield from layer(f"{prefix}.{2 if attends else 1}.conv", (f"up_{level}_conv",), CONV)


def _residual_block(prefix: str, block: str, has_skip: bool) -> Iterator[Entry]:
    yield from norm(f"{prefix}.in_layers.0", (block, "in_norm"))
    yield from layer(f"{prefix}.in_layers.2", (block, "in_conv"), CONV)
    yield from layer(f"{prefix}.emb_layers.1", (block, "time_dense"), LINEAR)
    yield from norm(f"{prefix}.out_layers.0", (block, "out_norm"))
    yield from layer(f"{prefix}.out_layers.3", (block, "out_conv"), CONV)
    if has_skip:
        yield from layer(f"{prefix}.skip_connection", (block, "skip_conv"), CONV)


def _attention(prefix: str, block: str, attention: _AttentionLayouts) -> Iterator[Entry]:
    yield from norm(f"{prefix}.norm", (block, "norm"))
    yield Entry(f"{prefix}.qkv.weight", (block, "qkv", "kernel"), attention.kernel)
    yield Entry(f"{prefix}.qkv.bias", (block, "qkv", "bias"), attention.bias)
    yield from layer(f"{prefix}.proj_out", (block, "out"), POINTWISE)


def _attention_layouts(network: UNet, new_attention_order: bool) -> _AttentionLayouts:
    if new_attention_order:  # The order of `networks.unet`.
        return _AttentionLayouts(POINTWISE, SAME)
    return _AttentionLayouts(_qkv_kernel(network.head_channels), _qkv_order(network.head_channels))


def _qkv_order(head_channels: int) -> Layout:
    """First axis `[heads, (q, k, v), head channels]` there, `[(q, k, v), heads, ...]` here."""

    def exchange(array: np.ndarray, outer: int, inner: int) -> np.ndarray:
        split = array.reshape(outer, inner, head_channels, *array.shape[1:])
        return split.swapaxes(0, 1).reshape(array.shape)

    return Layout(
        lambda array: exchange(array, len(array) // (3 * head_channels), 3),
        lambda array: exchange(array, 3, len(array) // (3 * head_channels)),
    )


def _qkv_kernel(head_channels: int) -> Layout:
    order = _qkv_order(head_channels)
    return Layout(
        lambda array: POINTWISE.from_torch(order.from_torch(array)),
        lambda array: order.to_torch(POINTWISE.to_torch(array)),
    )


_REMEDY = "Compare config.network with the settings the weights were trained with."
