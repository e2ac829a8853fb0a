import functools
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.codecs.blur import blurred

_PATH = pathlib.Path(__file__).parents[1] / "fixtures" / "colours.npz"
with np.load(_PATH) as _file:
    _ARRAYS = dict(_file)
_blurred = functools.partial(jax.jit, static_argnums=2)(blurred)


@pytest.mark.parametrize("deviation", [0.3, 0.8, 1.5])
def test_blur_is_that_of_torchvision(deviation):
    result = _blurred(jnp.asarray(_ARRAYS["image"]), jnp.float32(deviation), 2.0)
    np.testing.assert_allclose(result, _ARRAYS[f"blur/{deviation}"], atol=1e-6)


def test_no_blur_keeps_every_bit():
    image = jnp.asarray(_ARRAYS["image"])
    np.testing.assert_array_equal(_blurred(image, jnp.float32(0.0), 2.0), image)


def test_a_kernel_may_be_larger_than_the_image():
    image = jnp.asarray(np.full((2, 3, 1), 0.25, np.float32))
    np.testing.assert_allclose(_blurred(image, jnp.float32(1.9), 2.0), image, rtol=1e-6)
