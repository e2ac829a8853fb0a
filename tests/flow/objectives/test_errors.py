import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.flow.objectives.errors import mean_over_known, mean_squared_error


def test_known_values():
    pred = jnp.asarray([[[1.0, 2.0], [3.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]])
    target = jnp.asarray([[[1.0, 0.0], [0.0, 4.0]], [[1.0, -1.0], [5.0, -3.0]]])
    # Errors 0, 2, 3 and 0; and 1, 1, 5 and 3.
    np.testing.assert_allclose(mean_squared_error(pred, target), [13 / 4, 9.0])


def test_what_is_right_costs_nothing():
    pred = jax.random.normal(jax.random.key(0), (3, 4, 2))
    np.testing.assert_array_equal(mean_squared_error(pred, pred), jnp.zeros(3))


def test_an_error_of_bfloat16_numbers_is_float32():
    # 1 + 2^-8 is no bfloat16 number: a target that was rounded would be met.
    pred = jnp.ones((2, 3), jnp.bfloat16)
    error = mean_squared_error(pred, jnp.full((2, 3), 1 + 2**-8))
    assert error.dtype == jnp.float32
    np.testing.assert_array_equal(error, [2**-16, 2**-16])


def test_only_known_places_count():
    pred = jnp.asarray([[[1.0, 2.0], [3.0, 4.0]], [[7.0, 7.0], [7.0, jnp.nan]]])
    known = jnp.asarray([[True, False], [False, False]])
    # Errors 1 and 4 at the known place; without a known place nothing counts, whatever is there.
    np.testing.assert_allclose(mean_squared_error(pred, jnp.zeros_like(pred), known), [2.5, 0.0])
    values = jnp.asarray([[1.0, 2.0, 9.0]])
    np.testing.assert_allclose(mean_over_known(values, jnp.asarray([[True, True, False]])), [1.5])
