"""The training state."""

import flax.struct
import jax
import jax.numpy as jnp
import optax

from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.methods.weights import Params


@flax.struct.dataclass
class TrainState:
    """The complete state of training.

    The codec's weights are not part of it, because no step changes them.

    Attributes:
        step: int32 scalar, number of completed steps.
        params: the network's parameters, float32.
        ema_params: moving average of the parameters, float32, for inference.
        opt_state: the optimizer's state.
    """

    step: jax.Array
    params: Params
    ema_params: Params
    opt_state: optax.OptState


def create_train_state(
    method: SymmFlow, optimizer: optax.GradientTransformation, key: jax.Array
) -> TrainState:
    """The state before the first step; the average equals the parameters."""
    params = method.init(key)
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        params=params,
        ema_params=jax.tree.map(jnp.copy, params),
        opt_state=optimizer.init(params),
    )
