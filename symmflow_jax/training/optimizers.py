"""Optimizers and learning-rate schedules."""

import jax
import optax

from symmflow_jax.methods.weights import Params
from symmflow_jax.networks.velocity.latent_unet import PROMPT_EMBEDDING


def one_cycle(
    num_steps: int, warmup_steps: int, peak_learning_rate: float, end_learning_rate: float
) -> optax.Schedule:
    """A one-cycle schedule: cosine warm-up from `end_learning_rate` to the peak, and cosine decay.

    It is PyTorch's `OneCycleLR`: the last step of the warm-up has the peak, and the last step of
    all has the end. Steps count from 0.

    Args:
        num_steps: steps of the whole schedule, at least 1.
        warmup_steps: steps of the warm-up; at most `num_steps - 1` are used.
        peak_learning_rate: highest learning rate.
        end_learning_rate: learning rate at the start and at the end, positive.
    """
    last = max(1, num_steps - 1)
    peak = min(max(1, warmup_steps), last) - 1
    if peak == 0:
        decay = end_learning_rate / peak_learning_rate
        return optax.cosine_decay_schedule(peak_learning_rate, last, alpha=decay)
    return optax.cosine_onecycle_schedule(
        transition_steps=last,
        peak_value=peak_learning_rate,
        pct_start=(peak + 0.5) / last,  # Optax cuts the half off.
        div_factor=peak_learning_rate / end_learning_rate,
        final_div_factor=1.0,
    )


def adamw(
    schedule: optax.Schedule, weight_decay: float, clip_norm: float | None
) -> optax.GradientTransformation:
    """AdamW, after optional clipping of the gradient to the global norm `clip_norm`.

    Weight decay does not apply to the constant embedding of the prompt, which gets no gradient.
    """
    # Without decay there is no mask, because older checkpoints lack its state.
    optimizer = optax.adamw(
        schedule, weight_decay=weight_decay, mask=_learned if weight_decay else None
    )
    if clip_norm is None:
        return optimizer
    return optax.chain(optax.clip_by_global_norm(clip_norm), optimizer)


def _learned(params: Params) -> Params:
    """A tree of booleans, True for learned parameters; the prompt embedding is constant."""
    return jax.tree.map_with_path(
        lambda path, _: path[-1] != jax.tree_util.DictKey(PROMPT_EMBEDDING), params
    )
