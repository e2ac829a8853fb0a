"""The train step: one pure function of state, batch and key."""

from collections.abc import Callable
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import optax

from symmflow_jax.flow import keys
from symmflow_jax.networks.stable_diffusion import PROMPT_EMBEDDING
from symmflow_jax.symmflow import Params, SymmFlow, Weights

Metrics = dict[str, jax.Array]
"""Float32 scalars of one step."""

Gradient = Callable[[Weights, dict[str, Any], jax.Array], tuple[Params, Metrics]]
"""A function of weights, a batch and a key to float32 gradients of the network, and metrics."""


@flax.struct.dataclass
class TrainState:
    """A complete snapshot of training.

    Attributes:
        step: int32 scalar, steps taken so far.
        params: the network's parameters, float32.
        ema_params: their moving average, which inference uses.
        opt_state: the optimizer's state.
        codec: parameters of the codec's network, which no step changes; None where it has none.
    """

    step: jax.Array
    params: Params
    ema_params: Params
    opt_state: optax.OptState
    codec: Params | None = None


def create_train_state(
    flow: SymmFlow, optimizer: optax.GradientTransformation, key: jax.Array
) -> TrainState:
    """A state before the first step; the average starts from the parameters."""
    params = flow.init(key)
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        params=params,
        ema_params=jax.tree.map(jnp.copy, params),
        opt_state=optimizer.init(params),
    )


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


def make_train_step(
    flow: SymmFlow,
    optimizer: optax.GradientTransformation,
    *,
    image_weight: float,
    ema_decay: float,
    num_microbatches: int = 1,
    axis_name: str | None = None,
    share: Callable[[Gradient], Gradient] = lambda gradient: gradient,
) -> Callable[[TrainState, dict[str, Any], jax.Array], tuple[TrainState, Metrics]]:
    """The pure function `train_step(state, batch, key) -> (state, metrics)`.

    An example's randomness comes from the key, the step and the example's position in the
    whole batch, so that the result does not depend on how devices share the batch.

    Args:
        flow: the method.
        optimizer: what makes updates of gradients.
        image_weight: weight of the image's part of the loss.
        ema_decay: decay of the parameters' moving average.
        num_microbatches: parts over which the gradient is accumulated; divides the batch.
        axis_name: device axis over which gradients and metrics are averaged.
        share: what makes a gradient of whole weights and a device's own examples one of weights
            that devices hold in parts and all examples.
    """

    def mean_losses(params: Params, codec: Params, batch: dict[str, Any], key: jax.Array):
        example_keys = keys.example_keys(key, batch["position"])
        losses = flow.losses(
            Weights(params, codec),
            example_keys,
            batch["image"],
            batch["labels"],
            image_weight,
            dropout=True,
        )
        means = jax.tree.map(jnp.mean, losses)
        return means.total, {"loss": means.total, "loss_image": means.image,
                             "loss_semantics": means.semantics}  # fmt: skip

    @share
    def gradient(weights: Weights, batch: dict[str, Any], key: jax.Array):
        grads, metrics = jax.grad(mean_losses, has_aux=True)(*weights, batch, key)
        return jax.tree.map(lambda leaf: leaf.astype(jnp.float32), grads), metrics

    def train_step(state: TrainState, batch: dict[str, Any], key: jax.Array):
        step_key = jax.random.fold_in(key, state.step)
        weights = flow.in_compute_dtype(Weights(state.params, state.codec))
        grads, metrics = _accumulate(
            lambda part: gradient(weights, part, step_key), batch, num_microbatches
        )
        # The mean over one device would only make the program longer.
        if axis_name is not None and jax.lax.axis_size(axis_name) > 1:
            grads, metrics = jax.lax.pmean((grads, metrics), axis_name)
        updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        state = TrainState(
            step=state.step + 1,
            params=params,
            ema_params=optax.incremental_update(params, state.ema_params, 1.0 - ema_decay),
            opt_state=opt_state,
            codec=state.codec,
        )
        return state, metrics | {"gradient_norm": _norm(grads)}

    return train_step


def _norm(tree: Params) -> jax.Array:
    """The Euclidean norm of all leaves together.

    On CPU they are first put into one vector: a sum for each of hundreds of leaves would be a
    sixth of the time that the step takes to compile. Elsewhere leaves may be spread over
    devices, and stay where they are.
    """

    def of_one_vector(tree: Params) -> jax.Array:
        return jnp.linalg.norm(jnp.concatenate([jnp.ravel(leaf) for leaf in jax.tree.leaves(tree)]))

    return jax.lax.platform_dependent(tree, cpu=of_one_vector, default=optax.tree.norm)


def _accumulate(function: Callable[[Any], Any], batch: Any, num_parts: int) -> Any:
    """The mean of a function's results over equal parts of a batch, one part at a time."""
    if num_parts == 1:
        return function(batch)
    # Every part takes its examples from all over the batch, and so from every device that
    # holds some of it.
    parts = jax.tree.map(
        lambda array: jnp.swapaxes(
            array.reshape(array.shape[0] // num_parts, num_parts, *array.shape[1:]), 0, 1
        ),
        batch,
    )
    zeros = jax.tree.map(
        lambda leaf: jnp.zeros(leaf.shape, leaf.dtype),
        jax.eval_shape(function, jax.tree.map(lambda array: array[0], parts)),
    )

    def add(total: Any, part: Any) -> tuple[Any, None]:
        return jax.tree.map(jnp.add, total, function(part)), None

    total, _ = jax.lax.scan(add, zeros, parts)
    return jax.tree.map(lambda leaf: leaf / num_parts, total)
