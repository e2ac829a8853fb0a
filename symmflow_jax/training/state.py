"""The state of a training."""

import flax.struct
import jax
import jax.numpy as jnp
import optax

from symmflow_jax.methods.symmflow import Params, SymmFlow


@flax.struct.dataclass
class TrainState:
    """A complete snapshot of training.

    The codec's weights are not part of it: no step changes them.

    Attributes:
        step: int32 scalar, steps taken so far.
        params: the network's parameters, float32.
        ema_params: their moving average, which inference uses.
        opt_state: the optimizer's state.
    """

    step: jax.Array
    params: Params
    ema_params: Params
    opt_state: optax.OptState


def create_train_state(
    method: SymmFlow, optimizer: optax.GradientTransformation, key: jax.Array
) -> TrainState:
    """A state before the first step; the average starts from the parameters."""
    params = method.init(key)
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        params=params,
        ema_params=jax.tree.map(jnp.copy, params),
        opt_state=optimizer.init(params),
    )
