"""The train step: a pure function of state, codec weights, batch and key."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from symmflow_jax.data.batch import Batch
from symmflow_jax.flow import keys
from symmflow_jax.flow.state import IN_ALL, JointState, map_components
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.methods.weights import FrozenWeights, Params, Weights
from symmflow_jax.training.state import TrainState

Metrics = dict[str, jax.Array]
"""Float32 scalars of one step."""

Gradient = Callable[[Weights, Batch, jax.Array], tuple[Params, Metrics]]
"""`gradient(weights, batch, key) -> (float32 gradients of the network, metrics)`."""

TrainStep = Callable[
    [TrainState, FrozenWeights | None, Batch, jax.Array], tuple[TrainState, Metrics]
]
"""`train_step(state, frozen_weights, batch, key) -> (state, metrics)`."""


def make_train_step(
    method: SymmFlow,
    optimizer: optax.GradientTransformation,
    *,
    loss_weights: JointState,
    ema_decay: float,
    shares: JointState = IN_ALL,
    num_microbatches: int = 1,
    axis_name: str | None = None,
    distribute: Callable[[Gradient], Gradient] = lambda gradient: gradient,
) -> TrainStep:
    """Makes the pure function `train_step(state, frozen, batch, key) -> (state, metrics)`.

    The randomness of an example, including dropout, depends on the key, the step and the index
    of the example in the whole batch. The result is therefore independent of the distribution of
    the batch over devices. Metrics are "loss", "loss_image", "loss_semantics" and
    "gradient_norm", float32 scalars.

    Args:
        method: the method.
        optimizer: the optimizer, which turns gradients into updates.
        loss_weights: weight of each component's loss.
        ema_decay: decay of the moving average of the parameters, in [0, 1).
        shares: share of the training examples that have each component. Means of a component are
            over these: a sum over the whole batch, divided by this constant, does not depend on
            how a batch is split among devices.
        num_microbatches: parts over which the gradient is accumulated; divides the batch size.
        axis_name: device axis over which gradients and metrics are averaged.
        distribute: transforms a gradient function of whole weights and one device's examples
            into one of sharded weights and all examples.
    """

    weights_of_all = map_components(lambda weight, share: weight / share, loss_weights, shares)

    def mean_losses(
        params: Params, frozen: FrozenWeights, batch: Batch, key: jax.Array
    ) -> tuple[jax.Array, Metrics]:
        example_keys = keys.example_keys(key, batch.example_index)
        losses = method.losses(
            Weights(params, *frozen),
            example_keys,
            batch.image,
            batch.labels,
            weights_of_all,
            dropout=True,
            has=components_of(batch),
        )
        means = jax.tree.map(jnp.mean, losses)
        return means.total, {
            "loss": means.total,
            "loss_image": means.image / shares.image,
            "loss_semantics": means.semantics / shares.semantics,
        }

    @distribute
    def gradient(weights: Weights, batch: Batch, key: jax.Array):
        frozen = FrozenWeights(weights.codec, weights.teacher)
        grads, metrics = jax.grad(mean_losses, has_aux=True)(weights.network, frozen, batch, key)
        return jax.tree.map(lambda leaf: leaf.astype(jnp.float32), grads), metrics

    def train_step(
        state: TrainState, frozen: FrozenWeights | None, batch: Batch, key: jax.Array
    ) -> tuple[TrainState, Metrics]:
        step_key = jax.random.fold_in(key, state.step)
        weights = method.in_compute_dtype(Weights(state.params, *(frozen or ())))
        grads, metrics = _accumulate(
            lambda part: gradient(weights, part, step_key), batch, num_microbatches
        )
        # A mean over one device would only enlarge the program.
        if axis_name is not None and jax.lax.axis_size(axis_name) > 1:
            grads, metrics = jax.lax.pmean((grads, metrics), axis_name)
        updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        state = TrainState(
            step=state.step + 1,
            params=params,
            ema_params=optax.incremental_update(params, state.ema_params, 1.0 - ema_decay),
            opt_state=opt_state,
        )
        return state, metrics | {"gradient_norm": _norm(grads)}

    return train_step


def components_of(batch: Batch) -> JointState | None:
    """Whether each example has an image and labels, bool `[batch]`; None if all have both."""
    if batch.has_image is None and batch.has_labels is None:
        return None
    has = JointState(batch.has_image, batch.has_labels)
    everywhere = jnp.ones(batch.labels.shape[:1], bool)
    return map_components(lambda values: everywhere if values is None else values, has)


def _norm(tree: Params) -> jax.Array:
    """The Euclidean norm of all leaves of a tree together.

    On CPU the leaves are first concatenated: one sum for each of hundreds of leaves would take a
    sixth of the compile time of the step. On other platforms leaves may be sharded, so they are
    not concatenated.
    """

    def of_one_vector(tree: Params) -> jax.Array:
        return jnp.linalg.norm(jnp.concatenate([jnp.ravel(leaf) for leaf in jax.tree.leaves(tree)]))

    return jax.lax.platform_dependent(tree, cpu=of_one_vector, default=optax.tree.norm)


def _accumulate(function: Callable[[Any], Any], batch: Any, num_parts: int) -> Any:
    """The mean of a function's results over equal parts of a batch, one part at a time."""
    if num_parts == 1:
        return function(batch)
    # Every part takes examples at equal distances from the whole batch, so from every device that
    # holds examples.
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
