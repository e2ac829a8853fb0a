"""The parts of a model: semantics, network and autoencoder."""

import dataclasses

from symmflow_jax.config.schema.fields import WeightsPath
from symmflow_jax.config.sections.numbers import (
    BelowOne,
    Count,
    NotNegative,
    Positive,
)


@dataclasses.dataclass(frozen=True)
class SemanticsConfig:
    """The encoding of labels as a continuous signal.

    Attributes:
        encoding: the encoding, a name of `ENCODINGS` (docs/choices.md). It decides whether masks
            or labels are learned.
        kind: "mask" or "label", for an encoding of both and data that has both, or may have; "" for
            the one that the encoding prefers. Packed labels with "onehot" need "label".
        dequantization_beta: strength of the dequantization noise; for "plane" also the distance
            between the values of the first and the last class, which cannot be 0; unused by
            "onehot".
        label_scale: factor of the codes relative to the noise; 1 in the paper. Latents need 1.
    """

    encoding: str = "palette"
    kind: str = ""
    dequantization_beta: NotNegative = 6.0
    label_scale: Positive = 1.0


@dataclasses.dataclass(frozen=True)
class NetworkConfig:
    """The velocity network.

    Attributes:
        name: the network, a name of `NETWORKS` (docs/choices.md).
        channels: width of the first level of a U-Net, a multiple of `num_groups`; or width of
            every hidden layer of the MLP.
        channel_multipliers: width of each level of a U-Net, in units of `channels`.
        num_res_blocks: residual blocks per level of a U-Net, or hidden layers of the MLP.
        attention_rates: downsampling rates of the levels with attention, such as (2, 4); a U-Net
            has the rates 1, 2, 4, ..., one for each of `channel_multipliers`.
        head_channels: width of one attention head; divides the width of each such level, and of the
            last level, which always has attention.
        num_groups: groups of each group normalization.
        dropout_rate: dropout rate in training.
        remat: recompute activations in the backward pass to save memory.
        cross_attention_width: width of the text embeddings of "latent_unet".
        dtype: dtype of the computation, "float32" or "bfloat16"; parameters stay float32.
    """

    name: str = "unet"
    channels: Count = 32
    channel_multipliers: tuple[Count, ...] = (1, 2, 2, 2)
    num_res_blocks: Count = 2
    attention_rates: tuple[Count, ...] = ()
    head_channels: Count = 64
    num_groups: Count = 32
    dropout_rate: BelowOne = 0.0
    remat: bool = False
    cross_attention_width: Count = 1024
    dtype: str = "float32"


@dataclasses.dataclass(frozen=True)
class AutoencoderConfig:
    """The frozen autoencoder between pixels and the latents of the flow.

    The default sizes are those of Stable Diffusion.

    Attributes:
        weights: file or folder of an `AutoencoderKL` of diffusers; empty for a flow in pixels. A
            run keeps a copy, so the file is needed only once.
        mask_decoder: file that `--mode=finetune_vae` wrote in the folder of another run, or a
            decoder alone as the published `finetune_vae.py` saves it (`vae_decoder_step_N.pt`); it
            then decodes masks. A file in the run's own folder is used without this key.
        channels: width of the first level, a multiple of `num_groups`.
        channel_multipliers: width of each level, in units of `channels`.
        num_res_blocks: residual blocks per level of the encoder.
        latent_channels: channels of the latents.
        num_groups: groups of each group normalization.
        latent_scale: factor that brings latents to unit variance.
        dtype: dtype of the computation, "float32" or "bfloat16".
    """

    weights: WeightsPath = ""
    mask_decoder: WeightsPath = ""
    channels: Count = 128
    channel_multipliers: tuple[Count, ...] = (1, 2, 4, 4)
    num_res_blocks: Count = 2
    latent_channels: Count = 4
    num_groups: Count = 32
    latent_scale: Positive = 0.18215
    dtype: str = "float32"


@dataclasses.dataclass(frozen=True)
class FinetuneConfig:
    """Fine-tuning of the decoder for masks by `--mode=finetune_vae`.

    Attributes:
        batch_size: masks per step over all devices.
        num_steps: number of steps.
        learning_rate: constant learning rate of Adam.
    """

    batch_size: Count = 8
    num_steps: Count = 10_000
    learning_rate: Positive = 1e-5
