"""The border: from values of the config to networks, train step, solvers and judges."""

import functools
from collections.abc import Callable, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from symmflow_jax.config.build import codecs
from symmflow_jax.config.values import (
    Config,
    EvalConfig,
    GuidanceConfig,
    NetworkConfig,
    TrainConfig,
)
from symmflow_jax.flow import solvers
from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.flow.path import LinearPath
from symmflow_jax.flow.solvers import Solve
from symmflow_jax.flow.time_sampling import TimeSampling
from symmflow_jax.labels import LabelSchema
from symmflow_jax.metrics import features, lpips
from symmflow_jax.metrics.features import FeatureFunction
from symmflow_jax.metrics.lpips import Lpips
from symmflow_jax.networks.mlp import MLP
from symmflow_jax.networks.stable_diffusion import LatentUNet
from symmflow_jax.networks.unet import UNet
from symmflow_jax.parallel import FullySharded, Parallelism, Replicated
from symmflow_jax.symmflow import SymmFlow
from symmflow_jax.train_step import make_train_step

_METHODS = {
    "euler": solvers.EULER,
    "midpoint": solvers.MIDPOINT,
    "heun": solvers.HEUN,
    "rk4": solvers.RK4,
}


def flow(config: Config, schema: LabelSchema) -> SymmFlow:
    """The method for the config's network and the classes of a schema."""
    codec = codecs.codec(config, schema)
    two_clocks = config.train.clock != "tied"
    return SymmFlow(
        network=network(config.network),
        codec=codec,
        path=LinearPath(config.train.sigma_min),
        time_sampling=time_sampling(config.train),
        head=codecs.head(config, codec.encoding),
        holds_clean=two_clocks and config.eval.clock != "tied",
    )


def time_sampling(config: TrainConfig) -> TimeSampling:
    """The times at which the network learns."""
    at_one = config.share_at_one
    match config.clock:
        case "tied":
            return TimeSampling(share_at_one=at_one)
        case "free":
            return TimeSampling(tied=0.0, free=1.0, share_at_one=at_one)
        case _:
            tied, free, held_image, held_semantics = config.clock_shares
            return TimeSampling(tied, free, held_image, held_semantics, at_one)


def guidance(config: GuidanceConfig, num_steps: int | None) -> Guidance:
    """The guidance of the config for a solver of so many steps.

    Raises:
        ValueError: if there is no interval of times, or no first step to skip.
    """
    if config.skip_first_step and num_steps is None:
        raise ValueError(
            "config.guidance.skip_first_step is set, but an adaptive solver has no first step that "
            "is known; choose a solver of fixed steps."
        )
    still_until = 1.0 / num_steps if num_steps and config.skip_first_step else 0.0
    return Guidance(config.weight, config.start, config.end, config.project, still_until)


def network(config: NetworkConfig) -> nn.Module:
    """The velocity network.

    Raises:
        ValueError: if a width does not fit the groups of the normalisations.
    """
    dtype = jnp.dtype(config.dtype)
    if config.name == "mlp":
        return MLP(config.channels, config.num_res_blocks, dtype)
    if config.channels % config.num_groups:
        raise ValueError(
            f"config.network.channels is {config.channels}, which num_groups="
            f"{config.num_groups} does not divide."
        )
    form: Callable[..., UNet] = UNet
    if config.name == "latent_unet":
        form = functools.partial(LatentUNet, cross_attention_width=config.cross_attention_width)
    return form(
        channels=config.channels,
        channel_multipliers=config.channel_multipliers,
        num_res_blocks=config.num_res_blocks,
        attention_rates=config.attention_rates,
        head_channels=config.head_channels,
        num_groups=config.num_groups,
        dropout_rate=config.dropout_rate,
        remat=config.remat,
        dtype=dtype,
    )


def parallelism(config: Config, devices: Sequence[jax.Device] = ()) -> Parallelism:
    """How devices share a training; by default all devices of all processes."""
    chosen = tuple(devices or jax.devices())
    return FullySharded(chosen) if config.parallel == "fsdp" else Replicated(chosen)


def train_step(
    config: Config,
    flow: SymmFlow,
    optimizer: optax.GradientTransformation,
    parallelism: Parallelism,
) -> jax.stages.Wrapped:
    """`train_step(state, batch, key) -> (state, metrics)` over all devices, jitted.

    State and batch are as the parallelism places them; so are the results. The buffers of the
    state are given to the step.
    """
    make_step = functools.partial(
        make_train_step,
        flow,
        optimizer,
        image_weight=config.train.image_weight,
        ema_decay=config.train.ema_decay,
        num_microbatches=config.train.num_microbatches,
    )
    return parallelism.compile(make_step)


def solver(name: str, num_steps: int, tolerance: float) -> Solve:
    """The solver of a name; `num_steps` is for fixed steps, `tolerance` for adaptive ones.

    Raises:
        ValueError: if there is no solver of that name.
    """
    if name == "dopri5":
        # Imported where it is asked for: diffrax takes seconds.
        from symmflow_jax.flow.adaptive import DormandPrince

        return DormandPrince(tolerance)
    if name not in _METHODS:
        raise ValueError(
            f"There is no solver {name!r}; choose one of {', '.join(_METHODS)}, dopri5."
        )
    return solvers.FixedSteps(_METHODS[name], num_steps)


def solvers_of(config: EvalConfig) -> list[tuple[str, int | None, Solve]]:
    """Name, number of steps (None where adaptive) and solver of each row of the table."""
    rows: list[tuple[str, int | None, Solve]] = []
    for name in config.solvers:
        for num_steps in (None,) if name == "dopri5" else config.num_steps:
            rows.append((name, num_steps, solver(name, num_steps or 1, config.tolerance)))
    return rows


def feature_function(config: EvalConfig) -> FeatureFunction | None:
    """The feature function of the config, or None; raises ValueError for unusable weights."""
    match config.features:
        case "inception":
            return features.inception(config.feature_weights)
        case "classifier":
            return features.classifier(config.feature_weights)
        case _:
            return None


def perceptual_distance(config: EvalConfig) -> Lpips | None:
    """LPIPS with the config's weights, or None; raises ValueError for unusable weights."""
    return lpips.lpips(config.lpips_weights) if config.lpips_weights else None
