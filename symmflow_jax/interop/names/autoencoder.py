"""Weights of the autoencoder between diffusers' `AutoencoderKL` and `networks.autoencoder`."""

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.interop.names import layouts
from symmflow_jax.interop.names.layouts import CONV, LINEAR, Entry, Path, Shape, layer, norm
from symmflow_jax.networks.autoencoder import Autoencoder


def params_from_state_dict(
    state_dict: Mapping[str, np.ndarray], network: Autoencoder
) -> dict[str, Any]:
    """The parameters of `network`, float32, from those of an `AutoencoderKL`.

    Args:
        state_dict: array of each name. Arrays of the attention may have current names (`to_q`) or
            those of the published files (`query`).
        network: a network of the same sizes.

    Raises:
        ValueError: naming all keys that are missing, surplus or of another shape.
    """
    renamed = {_present_name(name): array for name, array in state_dict.items()}
    return layouts.from_state_dict(renamed, _table(network), _shapes(network), _REMEDY)


def params_with_decoder(
    decoder: Mapping[str, np.ndarray], params: Mapping[str, Any], network: Autoencoder
) -> dict[str, Any]:
    """The parameters of an autoencoder whose decoder is replaced.

    The convolutions to and from the latents (`quant_conv`, `post_quant_conv`) belong to neither
    half in diffusers and stay, as in the fine-tuning of the published code.

    Args:
        decoder: state dict of `AutoencoderKL.decoder` alone.
        params: parameters of the whole autoencoder.
        network: the network of both.

    Raises:
        ValueError: as `params_from_state_dict`.
    """
    whole = state_dict_from_params(params, network)
    kept = {name: array for name, array in whole.items() if not name.startswith(_DECODER)}
    replaced = {f"{_DECODER}{name}": array for name, array in decoder.items()}
    return params_from_state_dict(kept | replaced, network)


def state_dict_from_params(
    params: Mapping[str, Any], network: Autoencoder
) -> dict[str, np.ndarray]:
    """The state dict of an `AutoencoderKL`, float32, with current names.

    Raises:
        ValueError: naming all parameters that are missing, surplus or of another shape.
    """
    return layouts.to_state_dict(params, _table(network), _shapes(network), _REMEDY)


def _table(network: Autoencoder) -> Iterator[Entry]:
    """All arrays of the network, in the order of diffusers."""
    widths = [multiplier * network.channels for multiplier in network.channel_multipliers]
    yield from layer("encoder.conv_in", ("encoder", "stem"), CONV)
    before = widths[0]
    for level, width in enumerate(widths):
        for index in range(network.num_res_blocks):
            yield from _residual_block(
                f"encoder.down_blocks.{level}.resnets.{index}",
                ("encoder", f"down_{level}_block_{index}"),
                before != width,
            )
            before = width
        if level < len(widths) - 1:
            yield from layer(
                f"encoder.down_blocks.{level}.downsamplers.0.conv",
                ("encoder", f"down_{level}_conv"),
                CONV,
            )
    yield from _middle_and_out("encoder")
    yield from layer("decoder.conv_in", ("decoder", "stem"), CONV)
    before = widths[-1]
    for position, level in enumerate(reversed(range(len(widths)))):
        for index in range(network.num_res_blocks + 1):
            yield from _residual_block(
                f"decoder.up_blocks.{position}.resnets.{index}",
                ("decoder", f"up_{level}_block_{index}"),
                before != widths[level],
            )
            before = widths[level]
        if level > 0:
            yield from layer(
                f"decoder.up_blocks.{position}.upsamplers.0.conv",
                ("decoder", f"up_{level}_conv"),
                CONV,
            )
    yield from _middle_and_out("decoder")
    yield from layer("quant_conv", ("encoder", "moments_conv"), CONV)
    yield from layer("post_quant_conv", ("decoder", "latents_conv"), CONV)


def _middle_and_out(half: str) -> Iterator[Entry]:
    attention, path = f"{half}.mid_block.attentions.0", (half, "middle")
    yield from norm(f"{attention}.group_norm", (*path, "norm"))
    for theirs, ours in _ATTENTION_NAMES:
        yield from layer(f"{attention}.{theirs}", (*path, "attention", ours), LINEAR)
    for index in range(2):
        yield from _residual_block(
            f"{half}.mid_block.resnets.{index}", (*path, f"block_{index}"), False
        )
    yield from norm(f"{half}.conv_norm_out", (half, "out_norm"))
    yield from layer(f"{half}.conv_out", (half, "out_conv"), CONV)


def _residual_block(prefix: str, path: Path, has_skip: bool) -> Iterator[Entry]:
    yield from norm(f"{prefix}.norm1", (*path, "in_norm"))
    yield from layer(f"{prefix}.conv1", (*path, "in_conv"), CONV)
    yield from norm(f"{prefix}.norm2", (*path, "out_norm"))
    yield from layer(f"{prefix}.conv2", (*path, "out_conv"), CONV)
    if has_skip:
        yield from layer(f"{prefix}.conv_shortcut", (*path, "skip_conv"), CONV)


def _present_name(name: str) -> str:
    """The current name of an array of the attention."""
    return re.sub(
        r"(?<=\.attentions\.0\.)(query|key|value|proj_attn)(?=\.(weight|bias)$)",
        lambda match: _PRESENT_NAMES[match[1]],
        name,
    )


@functools.cache
def _shapes(network: Autoencoder) -> dict[Path, Shape]:
    """The shape of each parameter, without computation."""
    images = jax.ShapeDtypeStruct(
        (1, network.rate, network.rate, network.image_channels), jnp.float32
    )
    variables = jax.eval_shape(network.init, jax.random.key(0), images)
    return layouts.shapes_of(variables["params"])


_ATTENTION_NAMES = (("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "out"))
_DECODER = "decoder."
_PRESENT_NAMES = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
_REMEDY = "Compare the autoencoder's sizes with config.json beside the weights."
