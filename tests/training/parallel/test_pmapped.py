"""The pmapped train step on one device; `eight_devices.py` looks at eight."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.data.batch import Batch, Points
from symmflow_jax.training.parallel.pmapped import Pmapped

_TREE = {"kernel": np.arange(6, dtype=np.float32).reshape(2, 3), "step": np.asarray(4, np.int32)}
_BATCH = Batch(Points(np.ones((4, 2), np.float32)), np.arange(4), np.arange(4, dtype=np.int32))


@pytest.fixture
def pmapped():
    """One device, which has everything."""
    return Pmapped(tuple(jax.devices()[:1]))


def _assert_equal(first, second):
    assert jax.tree.structure(first) == jax.tree.structure(second)
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_is_placed_is_fetched(pmapped):
    placed = pmapped.place(_TREE)
    assert jax.tree.map(jnp.shape, placed) == {"kernel": (1, 2, 3), "step": (1,)}
    fetched = pmapped.fetch(placed)
    _assert_equal(fetched, _TREE)
    assert all(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(fetched))


def test_what_is_created_is_the_result_of_the_function(pmapped):
    created = pmapped.create(lambda key: {"noise": jax.random.normal(key, (3,))}, jax.random.key(0))
    expected = jax.random.normal(jax.random.key(0), (3,))
    np.testing.assert_allclose(pmapped.fetch(created)["noise"], expected, rtol=1e-6)


def test_batches_have_an_axis_of_devices(pmapped):
    placed = pmapped.place_batch(_BATCH)
    assert placed.image.values.shape == (1, 4, 2)
    np.testing.assert_array_equal(placed.labels, [[0, 1, 2, 3]])


def test_shapes_are_those_of_what_is_placed(pmapped):
    shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), _TREE)
    state, codec, batch, key = pmapped.arguments(shapes, None, _BATCH)
    assert codec is None and key.shape == ()
    for found, placed in (
        (state, pmapped.place(_TREE)),
        (batch, pmapped.place_batch(_BATCH)),
    ):
        assert jax.tree.map(jnp.shape, found) == jax.tree.map(jnp.shape, placed)
    assert pmapped.targets(shapes) == shapes


def _make_step(axis_name):
    """Steps that add the mean of the labels over all devices."""

    def step(state, codec_weights, batch, key):
        mean = jax.lax.pmean(jnp.mean(batch.labels.astype(jnp.float32)), axis_name)
        noise = jax.random.uniform(key)
        return state + mean + codec_weights, {"mean": mean, "noise": noise}

    return step


def test_a_compiled_step_takes_what_is_placed(pmapped):
    step = pmapped.compile(_make_step)
    state, codec = pmapped.place(jnp.zeros(())), pmapped.place(jnp.asarray(10.0))
    metrics = []
    for seed in (0, 1):
        batch = pmapped.place_batch(_BATCH)
        state, values = step(state, codec, batch, jax.random.key(seed))
        metrics.append(values)
    assert pmapped.fetch(state) == 23.0  # Twice the mean of 0 to 3, and the weights.
    first, second = pmapped.read(metrics)
    assert first["mean"] == second["mean"] == 1.5 and first["noise"] != second["noise"]
    assert np.shape(first["mean"]) == ()


def test_inference_has_no_axis_of_devices(pmapped):
    params = pmapped.for_inference(_TREE)
    _assert_equal(params, _TREE)
    shapes, batch = pmapped.inference_arguments(_TREE, _BATCH)
    assert shapes["kernel"].shape == (2, 3) and batch.image.values.shape == (4, 2)
    compiled = jax.jit(lambda params: 2 * params["kernel"]).lower(shapes).compile()
    np.testing.assert_array_equal(compiled(params), 2 * _TREE["kernel"])
