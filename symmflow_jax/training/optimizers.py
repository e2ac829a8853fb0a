"""Optimizers and learning-rate schedules."""

import jax
import optax

from symmflow_jax.methods.symmflow import Params
from symmflow_jax.networks.velocity.latent_unet import PROMPT_EMBEDDING


def one_cycle(
    num_steps: int, warmup_steps: int, peak_learning_rate: float, end_learning_rate: float
) -> optax.Schedule:
    """Cosine from `end_learning_rate` up to the peak over the warm-up, and down to it again."""
    return optax.cosine_onecycle_schedule(
        transition_steps=num_steps,
        peak_value=peak_learning_rate,
        pct_start=min(warmup_steps, num_steps - 1) / num_steps,
        div_factor=peak_learning_rate / end_learning_rate,
        final_div_factor=1.0,
    )


def adamw(
    schedule: optax.Schedule, weight_decay: float, clip_norm: float | None
) -> optax.GradientTransformation:
    """AdamW after an optional bound of the gradient's global norm.

    Constants of a network, which get no gradient, do not decay either.
    """
    # Without a decay there is no mask, whose state older checkpoints do not hold.
    optimizer = optax.adamw(
        schedule, weight_decay=weight_decay, mask=_learned if weight_decay else None
    )
    if clip_norm is None:
        return optimizer
    return optax.chain(optax.clip_by_global_norm(clip_norm), optimizer)


def _learned(params: Params) -> Params:
    """Whether each parameter is learned; the embedding of the prompt is not."""
    return jax.tree.map_with_path(
        lambda path, _: path[-1] != jax.tree_util.DictKey(PROMPT_EMBEDDING), params
    )
