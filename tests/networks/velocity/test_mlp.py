import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.networks.velocity.mlp import MLP

X, Y, T = jnp.ones((5, 2)), jnp.zeros((5, 3)), jnp.linspace(0.0, 1.0, 5)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_velocities_are_float32_and_shaped_as_the_inputs(dtype):
    network = MLP(features=8, num_layers=2, dtype=dtype)
    (v_x, v_y), variables = network.init_with_output(jax.random.key(0), X, Y, T)
    assert (v_x.shape, v_y.shape) == (X.shape, Y.shape)
    assert v_x.dtype == v_y.dtype == jnp.float32
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype(jnp.float32)}


def test_attributes_say_depth_and_width():
    params = MLP(features=8, num_layers=3).init(jax.random.key(0), X, Y, T)["params"]
    shapes = [params[name]["kernel"].shape for name in sorted(params)]
    assert shapes == [(6, 8), (8, 8), (8, 8), (8, 5)]  # dense_0, dense_1, dense_2, out_dense


def test_point_semantics_and_time_all_matter():
    network = MLP(features=8, num_layers=2)
    variables = network.init(jax.random.key(0), X, Y, T)
    base = network.apply(variables, X, Y, T)
    for changed in ((X + 1, Y, T), (X, Y + 1, T), (X, Y, T + 1)):
        for before, after in zip(base, network.apply(variables, *changed), strict=True):
            assert np.all(np.any(before != after, axis=-1))


def test_there_is_no_dropout():
    network = MLP(features=8, num_layers=1)
    variables = network.init(jax.random.key(0), X, Y, T)
    jax.tree.map(
        np.testing.assert_array_equal,
        network.apply(variables, X, Y, T, dropout_keys=jax.random.split(jax.random.key(1), len(X))),
        network.apply(variables, X, Y, T),
    )


def test_each_of_two_times_has_an_input_of_its_own():
    x, y, times = jnp.ones((1, 2)), jnp.ones((1, 1)), jnp.asarray([[0.2, 0.7]])
    network = MLP(features=8, num_layers=1)
    variables = network.init(jax.random.key(0), x, y, times)
    assert variables["params"]["dense_0"]["kernel"].shape == (5, 8)
    exchanged = network.apply(variables, x, y, times[:, ::-1])
    assert jnp.any(network.apply(variables, x, y, times)[0] != exchanged[0])


def test_a_span_starts_without_effect():
    network, span = MLP(features=8, num_layers=2), jnp.asarray([[0.3], [0.9], [0.0]])
    two = jnp.asarray([[0.2, 0.7]] * 3)
    x, y = jnp.ones((3, 2)), jnp.ones((3, 1))
    three = jnp.concatenate([two, span], axis=-1)
    params = network.init(jax.random.key(0), x, y, three)["params"]
    smaller = {name: layer for name, layer in params.items() if name != "span"}
    assert smaller.keys() == network.init(jax.random.key(0), x, y, two)["params"].keys()
    jax.tree.map(
        np.testing.assert_array_equal,
        network.apply({"params": params}, x, y, three),
        network.apply({"params": smaller}, x, y, two),
    )
    learned = {**params, "span": {"kernel": jnp.ones((1, 8))}}
    moved, _ = network.apply({"params": learned}, x, y, three)
    still, _ = network.apply({"params": params}, x, y, three)
    np.testing.assert_array_equal(jnp.any(moved != still, axis=-1), [True, True, False])
