"""Random keys as users give them."""

import jax
import numpy as np
import pytest

from symmflow_jax.inference.given.keys import as_key


def test_a_seed_is_its_key():
    expected = jax.random.key_data(jax.random.key(3))
    for key in (3, np.int64(3), jax.random.key(3)):
        np.testing.assert_array_equal(jax.random.key_data(as_key(key)), expected)


@pytest.mark.parametrize("key", [None, 1.5, -1, 2**32, True])
def test_what_is_no_seed_is_refused(key):
    with pytest.raises(ValueError, match=f"^key is {key}; it must"):
        as_key(key)
