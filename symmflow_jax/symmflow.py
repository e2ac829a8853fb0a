"""A symmetric flow between images and labels: the method bound to a network and an encoding."""

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from symmflow_jax import images, keys
from symmflow_jax.flow import objective, tasks
from symmflow_jax.flow.clocks import Velocity, sample_tied_times
from symmflow_jax.flow.leaves import Leaves
from symmflow_jax.flow.path import LinearPath
from symmflow_jax.flow.solvers import Solution, Solve
from symmflow_jax.semantics import Encoding

Params = Any
"""A pytree of float32 arrays."""


@dataclasses.dataclass(frozen=True)
class SymmFlow:
    """Pure functions of parameters and keys; holds no arrays and can be a static argument.

    Every function takes one key for each example, so that an example's result depends on
    neither its batch nor the number of devices.

    Attributes:
        network: module of `(x_t, y_t, t) -> (v_x, v_y)`.
        encoding: labels to continuous semantics and back.
        image_shape: `(height, width, channels)`, or `(n,)` for points.
        path: the probability path.
        dequantize_images: whether training adds half an 8-bit level of noise to images.
        share_at_one: share of the training examples at t = 1; see `sample_tied_times`.
    """

    network: nn.Module
    encoding: Encoding
    image_shape: tuple[int, ...]
    path: LinearPath = LinearPath()
    dequantize_images: bool = False
    share_at_one: float = 0.0

    @property
    def semantics_shape(self) -> tuple[int, ...]:
        """Shape of the continuous semantics of one example."""
        return self.encoding.signal_shape(self.image_shape)

    def init(self, key: jax.Array) -> Params:
        """Parameters of the network."""
        x = jnp.zeros((1, *self.image_shape))
        y = jnp.zeros((1, *self.semantics_shape))
        return self.network.init(key, x, y, jnp.zeros(1))["params"]

    def velocity(self, params: Params, dropout_key: jax.Array | None = None) -> Velocity:
        """The network with its parameters bound; with a dropout key, in training mode.

        The network has one clock: it is given the image's time, which the tied clock makes
        that of the semantics too.
        """
        train = dropout_key is not None
        rngs = {} if dropout_key is None else {"dropout": dropout_key}

        def velocity(state: Leaves, times: Leaves) -> Leaves:
            t = jnp.broadcast_to(times.image, state.image.shape[:1])
            v_x, v_y = self.network.apply(
                {"params": params}, state.image, state.semantics, t, train=train, rngs=rngs
            )
            return Leaves(v_x, v_y)

        return velocity

    def losses(
        self,
        params: Params,
        example_keys: jax.Array,
        pixels: jax.Array,
        labels: jax.Array,
        image_weight: float,
        dropout_key: jax.Array | None = None,
    ) -> objective.Losses:
        """The objective of each example at a random time, float32 `[batch]`.

        Args:
            params: the network's parameters.
            example_keys: keys `[batch]`.
            pixels: uint8 `[batch, height, width, channels]`, or float points `[batch, n]`.
            labels: int `[batch, height, width]` or `[batch]`, as the encoding takes them.
            image_weight: weight of the image's part.
            dropout_key: turns dropout on.
        """
        semantics_key, dequantization_key, time_key, x_key, y_key = _split(example_keys, 5)
        x = images.to_signal(pixels)
        if self.dequantize_images:
            x = jax.vmap(images.dequantize)(dequantization_key, x)
        data = Leaves(x, jax.vmap(self.encoding.encode)(semantics_key, labels))
        noise = Leaves(
            keys.normal(x_key, self.image_shape), keys.normal(y_key, self.semantics_shape)
        )
        times = jax.vmap(lambda key: sample_tied_times(key, self.share_at_one))(time_key)
        velocity = self.velocity(params, dropout_key)
        return objective.symmetric_loss(velocity, self.path, data, noise, times, image_weight)

    def generate(
        self, params: Params, example_keys: jax.Array, labels: jax.Array, solve: Solve
    ) -> Solution:
        """Images from labels: read `state.image`, float in about [-1, 1].

        The semantics are dequantised as in training: what the network has seen there.
        """
        semantics_key, noise_key = _split(example_keys, 2)
        semantics = jax.vmap(self.encoding.encode)(semantics_key, labels)
        noise = keys.normal(noise_key, self.image_shape)
        return tasks.synthesize(self.velocity(params), semantics, noise, solve)

    def recognize(
        self, params: Params, example_keys: jax.Array, pixels: jax.Array, solve: Solve
    ) -> Solution:
        """Continuous semantics from images: read `state.semantics`, to be decoded."""
        noise = keys.normal(example_keys, self.semantics_shape)
        return tasks.recognize(self.velocity(params), images.to_signal(pixels), noise, solve)


def _split(example_keys: jax.Array, num: int) -> tuple[jax.Array, ...]:
    """`num` independent keys for each example, as a tuple of arrays `[batch]`."""
    split = jax.vmap(lambda key: jax.random.split(key, num))(example_keys)
    return tuple(split[:, index] for index in range(num))
