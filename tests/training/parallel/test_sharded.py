"""The sharded train step on one device; `eight_devices.py` looks at eight."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from symmflow_jax.data.batch import Batch, Points
from symmflow_jax.data.source import numbered_classes
from symmflow_jax.flow.state import JointState
from symmflow_jax.training.parallel.pmapped import Pmapped
from symmflow_jax.training.parallel.sharded import Sharded, fully_sharded
from symmflow_jax.training.parallel.sharding import Sharding
from symmflow_jax.training.state import create_train_state
from symmflow_jax.training.train_step import make_train_step

_TREE = {"kernel": np.arange(6, dtype=np.float32).reshape(2, 3), "step": np.asarray(4, np.int32)}
_RNG = np.random.default_rng(0)
_BATCH = Batch(
    Points(_RNG.standard_normal((4, 2)).astype(np.float32)),
    np.array([0, 1, 1, 0], np.int32),
    np.arange(4, dtype=np.int32),
)


@pytest.fixture
def sharded():
    """One device, which keeps the one part of everything."""
    return Sharded(Sharding(tuple(jax.devices()[:1]), smallest_split=1))


def test_full_sharding_is_over_the_given_devices():
    devices = tuple(jax.devices())
    assert fully_sharded(devices).sharding == Sharding(devices)


def test_what_is_placed_is_fetched(sharded):
    placed = sharded.place(_TREE)
    fetched = sharded.fetch(placed)
    for name, array in _TREE.items():
        np.testing.assert_array_equal(fetched[name], array)
        assert placed[name].shape == array.shape


def test_what_is_created_lies_where_a_checkpoint_is_restored_to(sharded):
    def function(key):
        return {"noise": jax.random.normal(key, (2, 3))}

    created = sharded.create(function, jax.random.key(0))
    expected = function(jax.random.key(0))["noise"]
    np.testing.assert_allclose(created["noise"], expected, rtol=1e-6)
    shapes = jax.eval_shape(function, jax.random.key(0))
    target = sharded.targets(shapes)["noise"]
    assert created["noise"].sharding.is_equivalent_to(target.sharding, 2)
    assert (target.shape, target.dtype) == ((2, 3), jnp.float32)


def test_batches_are_whole(sharded):
    placed = sharded.place_batch(_BATCH)
    assert placed.image.values.shape == (4, 2) and isinstance(placed.image, Points)
    np.testing.assert_array_equal(placed.labels, _BATCH.labels)


def test_metrics_are_read_as_numbers(sharded):
    metrics = [{"loss": jnp.asarray(float(step))} for step in (1, 2)]
    read = sharded.read(metrics)
    assert [step["loss"] for step in read] == [1.0, 2.0]
    assert all(isinstance(step["loss"], np.ndarray | np.generic) for step in read)


@pytest.mark.usefixtures("standard_dtype_promotion")
def test_a_step_is_that_of_the_other_form(tiny_experiment, sharded):
    values = {
        "data.source": "spirals",
        "data.image_size": (),
        "semantics.encoding": "plane",
        "network.name": "mlp",
    }
    method = tiny_experiment(**values).with_schema(numbered_classes(2)).method
    optimizer = optax.sgd(0.5)
    create = functools.partial(create_train_state, method, optimizer)
    shapes = jax.eval_shape(create, jax.random.key(0))
    make = functools.partial(
        make_train_step, method, optimizer, loss_weights=JointState(0.5, 0.5), ema_decay=0.9
    )
    results = []
    for parallelism in (sharded, Pmapped(sharded.sharding.devices)):
        step = parallelism.compile(make)
        # It can be compiled without any array.
        step.lower(*parallelism.arguments(shapes, None, _BATCH))
        state = parallelism.create(create, jax.random.key(0))
        batch = parallelism.place_batch(_BATCH)
        state, metrics = step(state, None, batch, jax.random.key(1))
        results.append((parallelism.fetch(state), parallelism.read([metrics])))
    for ours, theirs in zip(*map(jax.tree.leaves, results), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    assert int(results[0][0].step) == 1 and results[0][1][0]["loss"] > 0


def test_inference_takes_what_is_placed(sharded):
    params = sharded.place(_TREE)
    assert sharded.for_inference(params) is params
    shapes, batch = sharded.inference_arguments(_TREE, _BATCH)
    assert batch.image.values.shape == (4, 2)
    compiled = jax.jit(lambda params: 2 * params["kernel"]).lower(shapes).compile()
    np.testing.assert_array_equal(compiled(params), 2 * _TREE["kernel"])
