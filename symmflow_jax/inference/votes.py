"""Majority votes over the answers from several noises."""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Vote(NamedTuple):
    """The outcome of a vote.

    Attributes:
        labels: int `[...]`, the most frequent label; of equals, the one drawn first.
        entropy: float32 `[...]`, entropy of the answers in nats; 0 where all agree.
    """

    labels: jax.Array
    entropy: jax.Array


def vote(draws: jax.Array) -> Vote:
    """The vote of int `[ensemble_size, ...]`, element by element.

    Each draw counts how many others agree with it, which needs no axis over the classes.
    """
    agreeing = jnp.sum(draws[:, None] == draws[None], axis=1)
    winner = jnp.argmax(agreeing, axis=0)
    labels = jnp.take_along_axis(draws, winner[None], axis=0)[0]
    # Averaging log p over the draws weighs each label by its own share.
    entropy = -jnp.mean(jnp.log(agreeing / draws.shape[0]), axis=0)
    return Vote(labels, entropy.astype(jnp.float32))
