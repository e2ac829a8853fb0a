"""A symmetric flow between images and labels: the method bound to a network and a codec."""

import dataclasses
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from symmflow_jax import keys
from symmflow_jax.codec import Codec
from symmflow_jax.flow import objective, tasks
from symmflow_jax.flow.clocks import Velocity, sample_tied_times
from symmflow_jax.flow.leaves import Leaves
from symmflow_jax.flow.path import LinearPath
from symmflow_jax.flow.solvers import Solution, Solve

Params = Any
"""A pytree of float32 arrays."""


class Weights(NamedTuple):
    """All arrays of a model.

    Attributes:
        network: parameters of the velocity network.
        codec: parameters of the codec's network, or None where it has none.
    """

    network: Params
    codec: Params | None = None


@dataclasses.dataclass(frozen=True)
class SymmFlow:
    """Pure functions of weights and keys; holds no arrays and can be a static argument.

    Every function takes one key for each example, so that an example's result depends on
    neither its batch nor the number of devices.

    Attributes:
        network: module of `(x_t, y_t, t) -> (v_x, v_y)`.
        codec: pixels and labels to the state of the flow and back.
        path: the probability path.
        share_at_one: share of the training examples at t = 1; see `sample_tied_times`.
    """

    network: nn.Module
    codec: Codec
    path: LinearPath = LinearPath()
    share_at_one: float = 0.0

    def init(self, key: jax.Array) -> Params:
        """Parameters of the network."""
        x, y = (jnp.zeros((1, *shape)) for shape in self.codec.shapes)
        return self.network.init(key, x, y, jnp.zeros(1))["params"]

    def velocity(self, weights: Weights, dropout_key: jax.Array | None = None) -> Velocity:
        """The network with its parameters bound; with a dropout key, in training mode.

        The network has one clock: it is given the image's time, which the tied clock makes
        that of the semantics too.
        """
        train = dropout_key is not None
        rngs = {} if dropout_key is None else {"dropout": dropout_key}

        def velocity(state: Leaves, times: Leaves) -> Leaves:
            t = jnp.broadcast_to(times.image, state.image.shape[:1])
            v_x, v_y = self.network.apply(
                {"params": weights.network}, state.image, state.semantics, t, train=train, rngs=rngs
            )
            return Leaves(v_x, v_y)

        return velocity

    def losses(
        self,
        weights: Weights,
        example_keys: jax.Array,
        pixels: jax.Array,
        labels: jax.Array,
        image_weight: float,
        dropout_key: jax.Array | None = None,
    ) -> objective.Losses:
        """The objective of each example at a random time, float32 `[batch]`.

        Args:
            weights: of network and codec.
            example_keys: keys `[batch]`.
            pixels: uint8 `[batch, height, width, channels]`, or float points `[batch, n]`.
            labels: int `[batch, height, width]` or `[batch]`, as the encoding takes them.
            image_weight: weight of the image's part.
            dropout_key: turns dropout on.
        """
        semantics_key, image_key, time_key, x_key, y_key = _split(example_keys, 5)
        data = Leaves(
            self.codec.encode_image(weights.codec, image_key, pixels, train=True),
            self.codec.encode_semantics(weights.codec, semantics_key, labels),
        )
        noise = Leaves(*map(keys.normal, (x_key, y_key), self.codec.shapes))
        times = jax.vmap(lambda key: sample_tied_times(key, self.share_at_one))(time_key)
        velocity = self.velocity(weights, dropout_key)
        return objective.symmetric_loss(velocity, self.path, data, noise, times, image_weight)

    def generate(
        self, weights: Weights, example_keys: jax.Array, labels: jax.Array, solve: Solve
    ) -> Solution:
        """Images from labels: read `state.image`, which the codec decodes.

        The semantics are dequantised as in training: what the network has seen there.
        """
        semantics_key, noise_key = _split(example_keys, 2)
        semantics = self.codec.encode_semantics(weights.codec, semantics_key, labels)
        noise = keys.normal(noise_key, self.codec.shapes.image)
        return tasks.synthesize(self.velocity(weights), semantics, noise, solve)

    def recognize(
        self, weights: Weights, example_keys: jax.Array, pixels: jax.Array, solve: Solve
    ) -> Solution:
        """Semantics from images: read `state.semantics`, which the codec decodes."""
        image_key, noise_key = _split(example_keys, 2)
        image = self.codec.encode_image(weights.codec, image_key, pixels, train=False)
        noise = keys.normal(noise_key, self.codec.shapes.semantics)
        return tasks.recognize(self.velocity(weights), image, noise, solve)


def _split(example_keys: jax.Array, num: int) -> tuple[jax.Array, ...]:
    """`num` independent keys for each example, as a tuple of arrays `[batch]`."""
    split = jax.vmap(lambda key: jax.random.split(key, num))(example_keys)
    return tuple(split[:, index] for index in range(num))
