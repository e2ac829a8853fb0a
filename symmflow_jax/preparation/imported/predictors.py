"""Predictors without a network, whose losses imported weights are compared with."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from symmflow_jax.flow.paths.path import ComponentPath
from symmflow_jax.flow.state import JointState, map_components


class ZeroPredictor(nn.Module):
    """Outputs zeros, as a network does before its training."""

    dtype: DTypeLike = jnp.float32

    def __call__(
        self, x_t: jax.Array, y_t: jax.Array, t: jax.Array, dropout_keys: None = None
    ) -> tuple[jax.Array, jax.Array]:
        """Zeros, float32, shaped as image and semantics."""
        del t, dropout_keys
        return jnp.zeros_like(x_t, jnp.float32), jnp.zeros_like(y_t, jnp.float32)


class LinearPredictor(nn.Module):
    """The best velocity that is linear in each number alone, by mean and variance of its channel.

    A clean value z with mean m and variance V and its noise e give the point `u = a z + s e` and
    the velocity `v = a' z + s' e`. The predictor is `a' m + Cov(v, u) / Var(u) (u - a m)`, which
    needs neither neighbours nor the other component.

    Its parameters are "image" and "semantics", each with "mean" and "variance" `[channels]`; see
    `statistics_of`.

    Attributes:
        paths: the `ComponentPath` of each component.
    """

    paths: JointState
    dtype: DTypeLike = jnp.float32

    def __call__(
        self, x_t: jax.Array, y_t: jax.Array, t: jax.Array, dropout_keys: None = None
    ) -> tuple[jax.Array, jax.Array]:
        """Velocities, float32, shaped as image and semantics; t is `[batch]`."""
        del dropout_keys
        statistics = self.variables["params"]
        return tuple(
            map_components(
                lambda path, point, values: _predict(path, point, t, values),
                self.paths,
                JointState(x_t, y_t),
                JointState(statistics["image"], statistics["semantics"]),
            )
        )


def statistics_of(data: JointState) -> dict[str, dict[str, jax.Array]]:
    """The parameters of a `LinearPredictor`, float32, from clean data `[batch, ..., channels]`."""

    def of_component(clean: jax.Array) -> dict[str, jax.Array]:
        values = clean.astype(jnp.float32).reshape(-1, clean.shape[-1])
        return {"mean": jnp.mean(values, axis=0), "variance": jnp.var(values, axis=0)}

    return {"image": of_component(data.image), "semantics": of_component(data.semantics)}


def _predict(
    path: ComponentPath, point: jax.Array, t: jax.Array, values: dict[str, Any]
) -> jax.Array:
    """The velocity at a point `[batch, ..., channels]` at times `[batch]`."""
    one, zero = jnp.ones_like(t), jnp.zeros_like(t)

    def of_example(coefficient: jax.Array) -> jax.Array:
        return coefficient.reshape(-1, *[1] * (point.ndim - 1))

    def of_channel(number: jax.Array) -> jax.Array:
        return number.reshape(*[1] * (point.ndim - 1), -1)

    data_share = of_example(path.interpolate(one, zero, t))
    noise_share = of_example(path.interpolate(zero, one, t))
    data_rate = of_example(path.velocity(one, zero, t))
    noise_rate = of_example(path.velocity(zero, one, t))
    mean, variance = of_channel(values["mean"]), of_channel(values["variance"])
    spread = data_share**2 * variance + noise_share**2
    covariance = data_share * data_rate * variance + noise_share * noise_rate
    return data_rate * mean + covariance / (spread + _LEAST) * (point - data_share * mean)


_LEAST = 1e-12
