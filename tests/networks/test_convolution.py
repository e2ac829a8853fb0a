import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.networks.convolution import convolve


def _reference(x, kernel, strides, padding):
    return jax.lax.conv_general_dilated(
        x, kernel, strides, padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


@pytest.mark.parametrize(
    ("size", "window", "strides", "padding"),
    [
        ((6, 5), (3, 3), (1, 1), ((1, 1), (1, 1))),
        ((6, 4), (3, 3), (2, 2), ((1, 1), (1, 1))),
        ((7, 5), (3, 3), (2, 2), ((1, 1), (1, 1))),
        ((6, 6), (3, 3), (2, 2), ((0, 1), (0, 1))),
        ((3, 4), (1, 1), (1, 1), ((0, 0), (0, 0))),
        ((8, 7), (4, 2), (3, 1), ((2, 0), (0, 1))),
    ],
)
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_results_and_gradients_are_those_of_jax(size, window, strides, padding, dtype):
    generator = np.random.default_rng(0)
    x = jnp.asarray(generator.standard_normal((2, *size, 3)), dtype)
    kernel = jnp.asarray(generator.standard_normal((*window, 3, 4)), dtype)

    def run(function):
        result, transpose = jax.vjp(lambda *operands: function(*operands, strides, padding),
                                    x, kernel)  # fmt: skip
        weights = np.random.default_rng(1).standard_normal(result.shape)
        return result, *transpose(jnp.asarray(weights, dtype))

    tolerance = 1e-5 if dtype == jnp.float32 else 0.05
    for ours, expected in zip(run(convolve), run(_reference), strict=True):
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours.astype(jnp.float32), expected.astype(jnp.float32),
                                   rtol=tolerance, atol=tolerance)  # fmt: skip


def test_on_cpu_every_convolution_of_a_gradient_has_the_fast_layout():
    def loss(x, kernel):
        return jnp.sum(jnp.square(convolve(x, kernel, (2, 2), ((1, 1), (1, 1)))))

    shapes = jnp.zeros((2, 4, 4, 3)), jnp.zeros((3, 3, 3, 5))
    gradient = jax.jit(jax.grad(loss, argnums=(0, 1)))
    fast = "[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]"

    def layouts(platform):
        text = gradient.trace(*shapes).lower(lowering_platforms=(platform,)).as_text()
        return [line.count(fast) for line in text.splitlines() if "stablehlo.convolution" in line]

    assert layouts("cpu") == [1, 1, 1]
    # Other backends choose layouts of their own, best from what JAX writes.
    assert layouts("tpu") == [1, 0, 0]
