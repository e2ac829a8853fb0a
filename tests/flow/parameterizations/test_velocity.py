import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow.parameterizations.parameterization import PathPoint
from symmflow_jax.flow.parameterizations.velocity import VelocityParameterization
from symmflow_jax.flow.paths.linear import LinearPath
from symmflow_jax.flow.paths.path import ComponentPath
from symmflow_jax.semantics.one_hot import OneHot

VELOCITY = VelocityParameterization()
both_directions = pytest.mark.parametrize("clean_at_end", [True, False])


@both_directions
def test_the_velocity_itself_is_taken_as_it_is(clean_at_end):
    path = ComponentPath(LinearPath(), clean_at_end)
    output, zeros = jax.random.normal(jax.random.key(0), (2, 2, 3)), jnp.zeros((2, 2, 3))
    np.testing.assert_array_equal(VELOCITY.velocity(output, zeros, jnp.asarray(0.5), path), output)
    at = PathPoint(zeros, zeros, zeros, jnp.asarray([0.5, 1.0]), jnp.zeros((2, 2), jnp.int32))
    expected = np.mean(np.square(output), axis=(1, 2))
    np.testing.assert_allclose(VELOCITY.loss(output, at, path), expected, rtol=1e-5)


@pytest.mark.parametrize(
    # The path goes from 3 to 1, of which half the start is left, or from 1 to 3.
    ("clean_at_end", "velocity"),
    [(True, -0.5), (False, 2.5)],
)
def test_known_losses(clean_at_end, velocity):
    path = ComponentPath(LinearPath(sigma_min=0.5), clean_at_end)
    clean, noise, t = jnp.full((2, 3), 1.0), jnp.full((2, 3), 3.0), jnp.asarray([0.0, 0.75])
    at = PathPoint(path.interpolate(clean, noise, t), clean, noise, t, None)
    output = velocity + jnp.asarray([[0.0, 0.0, 0.0], [1.0, 1.0, -2.0]])
    np.testing.assert_allclose(VELOCITY.loss(output, at, path), [0.0, 2.0], atol=1e-6)


def test_all_components_have_the_same():
    assert VelocityParameterization.of_component(None, 1.0, 1.0) == VELOCITY
    assert VelocityParameterization.of_component(OneHot(3), 8.0, 0.1) == VELOCITY
