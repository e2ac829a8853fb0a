"""Convolutions, dense layers and upsampling."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.networks.layers.linear import conv, dense, double


class _Layer(nn.Module):
    """One of the functions as a module of its own."""

    make: object
    options: tuple

    @nn.compact
    def __call__(self, x):
        return self.make(4, x, name="layer", **dict(self.options))


def _init(make, x, **options):
    return _Layer(make, tuple(options.items())).init_with_output(jax.random.key(0), x)


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({}, (6, 8)),
        ({"size": 1}, (6, 8)),
        ({"size": 5}, (6, 8)),
        ({"stride": 2}, (3, 4)),
        ({"stride": 2, "padding": (0, 1)}, (3, 4)),
        ({"padding": (0, 0)}, (4, 6)),
    ],
)
def test_a_convolution_keeps_the_size_but_for_its_stride_and_padding(options, size):
    result, variables = _init(conv, jnp.ones((2, 6, 8, 3)), **options)
    assert result.shape == (2, *size, 4)
    kernel = variables["params"]["layer"]["kernel"]
    assert kernel.shape == (*2 * (options.get("size", 3),), 3, 4)


def test_a_strided_convolution_is_padded_on_both_sides():
    variables = {"params": {"layer": {"kernel": jnp.ones((3, 3, 1, 1)), "bias": jnp.zeros(1)}}}

    class Strided(nn.Module):
        @nn.compact
        def __call__(self, x):
            return conv(1, x, name="layer", stride=2)

    # Windows begin a pixel before the image: 2, 3 pixels of each side are in them.
    result = Strided().apply(variables, jnp.ones((1, 4, 4, 1)))
    np.testing.assert_allclose(result[0, :, :, 0], [[4.0, 6.0], [6.0, 9.0]])


@pytest.mark.parametrize(("make", "shape"), [(conv, (2, 3, 3, 5)), (dense, (2, 7, 5))])
def test_what_starts_at_zero_gives_zero(make, shape):
    result, _ = _init(make, jnp.ones(shape), zero=True)
    np.testing.assert_array_equal(result, np.zeros((*shape[:-1], 4)))
    assert np.any(_init(make, jnp.ones(shape))[0])


@pytest.mark.parametrize(("make", "shape"), [(conv, (2, 3, 3, 5)), (dense, (2, 5))])
def test_results_have_the_dtype_of_the_computation_and_weights_are_float32(make, shape):
    result, variables = _init(make, jnp.ones(shape, jnp.bfloat16), dtype=jnp.bfloat16)
    assert result.dtype == jnp.bfloat16
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype(jnp.float32)}


def test_a_dense_layer_may_have_no_bias():
    result, variables = _init(dense, jnp.zeros((2, 5)), use_bias=False)
    assert set(variables["params"]["layer"]) == {"kernel"}
    np.testing.assert_array_equal(result, np.zeros((2, 4)))


def test_doubling_repeats_each_pixel_four_times():
    x = jnp.asarray([[1.0, 2.0], [3.0, 4.0]])[None, :, :, None]
    expected = [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    np.testing.assert_array_equal(double(x)[0, :, :, 0], expected)
