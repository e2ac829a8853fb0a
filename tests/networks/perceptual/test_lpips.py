"""The network of LPIPS with weights of chance; with published ones: `interop/names`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.networks.perceptual import lpips
from symmflow_jax.networks.perceptual.lpips import SMALLEST, PerceptualDistance

pytestmark = pytest.mark.slow

_SHAPE = (2, SMALLEST, SMALLEST + 9, 3)


def _signals(seed: int) -> jax.Array:
    return jax.random.uniform(jax.random.key(seed), _SHAPE, minval=-1.0, maxval=1.0)


@pytest.fixture(scope="module")
def variables():
    return jax.jit(PerceptualDistance().init)(jax.random.key(0), _signals(1), _signals(2))


def _distance(variables, first, second):
    return jax.jit(PerceptualDistance().apply)(variables, first, second)


def test_a_distance_for_each_pair(variables):
    distances = _distance(variables, _signals(1), _signals(2))
    assert distances.shape == (2,) and distances.dtype == jnp.float32
    assert (np.asarray(distances) > 0).all()
    # Pairs do not see each other.
    other = _distance(variables, _signals(1), _signals(2).at[1].set(0.0))
    np.testing.assert_allclose(other[0], distances[0], rtol=1e-5)
    assert abs(other[1] - distances[1]) > 1e-4


def test_an_image_is_at_no_distance_from_itself(variables):
    np.testing.assert_allclose(_distance(variables, _signals(1), _signals(1)), 0.0, atol=1e-10)


def test_heads_weigh_their_levels(variables):
    first, second = _signals(1), _signals(2)
    params = variables["params"]
    heads = {name: leaf for name, leaf in params.items() if name.startswith("head_")}
    assert len(heads) == 5
    whole = _distance(variables, first, second)
    twice = {"params": params | {name: 2.0 * leaf for name, leaf in heads.items()}}
    np.testing.assert_allclose(_distance(twice, first, second), 2.0 * whole, rtol=1e-5)
    none = {"params": params | {name: 0.0 * leaf for name, leaf in heads.items()}}
    np.testing.assert_array_equal(_distance(none, first, second), [0.0, 0.0])


def test_the_smallest_images_have_a_pixel_at_the_last_level(variables):
    """One less, and nothing is left to pool: the mean of nothing."""
    sizes = {}
    for size in (SMALLEST - 1, SMALLEST):
        images = jnp.ones((1, size, size, 3))
        sizes[size] = bool(np.isfinite(_distance(variables, images, -images)).all())
    assert sizes == {SMALLEST - 1: False, SMALLEST: True}


def test_activations_have_length_one_or_none_at_all():
    x = jnp.asarray([[3.0, 4.0], [0.0, 0.0], [0.0, 2.0]])[None, None]
    np.testing.assert_allclose(lpips._normalize(x)[0, 0], [[0.6, 0.8], [0, 0], [0, 1]], atol=1e-6)
