"""Majority votes over the predictions from several noise samples."""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Vote(NamedTuple):
    """The outcome of a vote.

    Attributes:
        labels: int `[...]`, the most frequent label; the first draw decides a tie.
        entropy: float32 `[...]`, entropy of the draws in nats; 0 if all draws agree.
    """

    labels: jax.Array
    entropy: jax.Array


def vote(draws: jax.Array) -> Vote:
    """Takes a majority vote over the first axis of int `[ensemble_size, ...]`.

    Counting the agreeing draws of each draw needs no axis over the classes.
    """
    agreeing = jnp.sum(draws[:, None] == draws[None], axis=1)
    winner = jnp.argmax(agreeing, axis=0)
    labels = jnp.take_along_axis(draws, winner[None], axis=0)[0]
    # Averaging -log p over the draws weighs each label by its own share. It is 0, and not -0, if
    # all agree.
    entropy = jnp.mean(jnp.log(draws.shape[0] / agreeing), axis=0)
    return Vote(labels, entropy.astype(jnp.float32))
