"""The arrays of a model in the dtype that its network computes in."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.flow.state import JointState
from symmflow_jax.methods.weights import Weights
from tests.methods.small_methods import FLOW, LABELS, POINTS, keys_of


def test_weights_in_the_compute_dtype_change_no_result():
    weights, halves = Weights(FLOW.init(jax.random.key(0))), JointState(0.5, 0.5)
    method = dataclasses.replace(
        FLOW, network=dataclasses.replace(FLOW.network, dtype=jnp.bfloat16)
    )
    cast = method.in_compute_dtype(weights)
    dtypes = {leaf.ndim: leaf.dtype for leaf in jax.tree.leaves(cast)}
    assert dtypes == {1: jnp.float32, 2: jnp.bfloat16}
    results = [method.losses(w, keys_of(0, 1, 2), POINTS, LABELS, halves) for w in (weights, cast)]
    jax.tree.map(np.testing.assert_array_equal, *results)
    same = FLOW.in_compute_dtype(weights)
    assert all(a is b for a, b in zip(*map(jax.tree.leaves, (same, weights)), strict=True))
