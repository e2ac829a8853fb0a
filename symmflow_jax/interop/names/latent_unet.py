"""Weights of the latent U-Net between diffusers' `UNet2DConditionModel` and `LatentUNet`.

The architecture is that of Stable Diffusion 2: each transformer has one layer between two dense
projections. The embedding of the empty prompt, which PyTorch programs keep outside of the network,
has the key "prompt_embedding".
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from symmflow_jax.interop.names import layouts
from symmflow_jax.interop.names.layouts import CONV, LINEAR, SAME, Entry, layer, norm
from symmflow_jax.interop.names.unet_shapes import channels_of, param_shapes, shapes_for
from symmflow_jax.networks.velocity.latent_unet import PROMPT_EMBEDDING, LatentUNet


def params_from_state_dict(
    state_dict: Mapping[str, np.ndarray], network: LatentUNet
) -> dict[str, Any]:
    """The parameters of `network`, float32, from those of a `UNet2DConditionModel`.

    Args:
        state_dict: array of each name, and the embedding of the prompt. The first convolution
            determines the total number of channels of image and semantics.
        network: a network of the same widths, depths, attention rates and heads.

    Raises:
        ValueError: naming all keys that are missing, surplus or of another shape.
    """
    shapes = param_shapes(network, num_channels(state_dict))
    return layouts.from_state_dict(state_dict, _table(network), shapes, _REMEDY)


def state_dict_from_params(params: Mapping[str, Any], network: LatentUNet) -> dict[str, np.ndarray]:
    """The state dict, float32, of a `UNet2DConditionModel`, and the embedding of the prompt.

    Raises:
        ValueError: naming all parameters that are missing, surplus or of another shape.
    """
    return layouts.to_state_dict(params, _table(network), shapes_for(params, network), _REMEDY)


def num_channels(state_dict: Mapping[str, np.ndarray]) -> int:
    """Total channels of image and semantics; 2 if the convolutions are missing."""
    return channels_of(state_dict, "conv_in.weight", "conv_out.weight")


def repeat_channels(state_dict: Mapping[str, np.ndarray], times: int) -> dict[str, np.ndarray]:
    """Extends weights for images to weights for images and semantics, to start fine-tuning.

    The weights of the first convolution are repeated over its inputs, and weights and biases of
    the last one over its outputs, as in the paper. They are not scaled. For two components, equal
    inputs double the first features of the pretrained network; independent inputs such as noise
    and data scale their standard deviation by sqrt(2).

    Args:
        state_dict: array of each name.
        times: number of repetitions.
    """
    widened = dict(state_dict)
    for name, axis in (("conv_in.weight", 1), ("conv_out.weight", 0), ("conv_out.bias", 0)):
        if name in widened:
            widened[name] = np.concatenate([widened[name]] * times, axis=axis)
    return widened


def check_settings(settings: Mapping[str, Any], network: LatentUNet) -> None:
    """Compares the settings that do not follow from the shapes of the weights.

    Args:
        settings: contents of `config.json` of diffusers; missing keys are not compared.
        network: the network that gets the weights.

    Raises:
        ValueError: naming all settings that differ.
    """
    widths = [multiplier * network.channels for multiplier in network.channel_multipliers]
    expected = {
        # Diffusers calls the number of heads by this name.
        "attention_head_dim": [width // network.head_channels for width in widths],
        "norm_num_groups": network.num_groups,
        "norm_eps": 1e-5,
        "flip_sin_to_cos": True,
        "freq_shift": 0,
        "act_fn": "silu",
    }
    differences = []
    for key, value in expected.items():
        found = settings.get(key, value)
        if isinstance(value, list) and isinstance(found, int):
            found = [found] * len(value)
        if found != value:
            differences.append(f"{key} is {found}, here {value}")
    if differences:
        raise ValueError(
            f"The weights are of another network ({'; '.join(differences)}). {_REMEDY}"
        )


def _table(network: LatentUNet) -> Iterator[Entry]:
    """All arrays of the network, in the order of diffusers."""
    widths = [multiplier * network.channels for multiplier in network.channel_multipliers]
    yield from layer("conv_in", ("stem",), CONV)
    yield from layer("time_embedding.linear_1", ("time", "in_dense"), LINEAR)
    yield from layer("time_embedding.linear_2", ("time", "out_dense"), LINEAR)
    for level, width in enumerate(widths):
        widens = level > 0 and widths[level - 1] != width
        skips = [widens] + [False] * (network.num_res_blocks - 1)
        yield from _level(f"down_blocks.{level}", f"down_{level}", network, level, skips)
        if level < len(widths) - 1:
            yield from layer(
                f"down_blocks.{level}.downsamplers.0.conv", (f"down_{level}_conv",), CONV
            )
    for position, level in enumerate(reversed(range(len(widths)))):
        # The way up takes skips in, so that every block changes the number of channels.
        skips = [True] * (network.num_res_blocks + 1)
        yield from _level(f"up_blocks.{position}", f"up_{level}", network, level, skips)
        if level > 0:
            yield from layer(f"up_blocks.{position}.upsamplers.0.conv", (f"up_{level}_conv",), CONV)
    yield from _transformer("mid_block.attentions.0", "middle_transformer")
    for index in range(2):
        yield from _residual_block(f"mid_block.resnets.{index}", f"middle_block_{index}", False)
    yield from norm("conv_norm_out", ("out_norm",))
    yield from layer("conv_out", ("out_conv",), CONV)
    yield Entry(PROMPT_EMBEDDING, (PROMPT_EMBEDDING,), SAME)


def _level(
    prefix: str, path: str, network: LatentUNet, level: int, skips: list[bool]
) -> Iterator[Entry]:
    """The transformers and then the blocks of a level; each block with or without a skip conv."""
    if 2**level in network.attention_rates:
        for index in range(len(skips)):
            yield from _transformer(f"{prefix}.attentions.{index}", f"{path}_transformer_{index}")
    for index, has_skip in enumerate(skips):
        yield from _residual_block(f"{prefix}.resnets.{index}", f"{path}_block_{index}", has_skip)


def _residual_block(prefix: str, block: str, has_skip: bool) -> Iterator[Entry]:
    yield from norm(f"{prefix}.norm1", (block, "in_norm"))
    yield from layer(f"{prefix}.conv1", (block, "in_conv"), CONV)
    yield from layer(f"{prefix}.time_emb_proj", (block, "time_dense"), LINEAR)
    yield from norm(f"{prefix}.norm2", (block, "out_norm"))
    yield from layer(f"{prefix}.conv2", (block, "out_conv"), CONV)
    if has_skip:
        yield from layer(f"{prefix}.conv_shortcut", (block, "skip_conv"), CONV)


def _transformer(prefix: str, block: str) -> Iterator[Entry]:
    yield from norm(f"{prefix}.norm", (block, "norm"))
    yield from layer(f"{prefix}.proj_in", (block, "in_dense"), LINEAR)
    inner = f"{prefix}.transformer_blocks.0"
    yield from norm(f"{inner}.norm1", (block, "self_norm"))
    yield from _attention(f"{inner}.attn1", block, "self_attention")
    yield from norm(f"{inner}.norm2", (block, "cross_norm"))
    yield from _attention(f"{inner}.attn2", block, "cross_attention")
    yield from norm(f"{inner}.norm3", (block, "feed_norm"))
    yield from layer(f"{inner}.ff.net.0.proj", (block, "feed_in"), LINEAR)
    yield from layer(f"{inner}.ff.net.2", (block, "feed_out"), LINEAR)
    yield from layer(f"{prefix}.proj_out", (block, "out_dense"), LINEAR)


def _attention(prefix: str, block: str, name: str) -> Iterator[Entry]:
    for theirs, ours in (("to_q", "query"), ("to_k", "key"), ("to_v", "value")):
        yield Entry(f"{prefix}.{theirs}.weight", (block, name, ours, "kernel"), LINEAR)
    yield from layer(f"{prefix}.to_out.0", (block, name, "out"), LINEAR)


_REMEDY = (
    "Compare config.network with the settings the weights were trained with (config.json beside "
    "them)."
)
