"""The operations of JAX, each against onnxruntime."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

# ruff: noqa: E402
from symmflow_jax.inference.export.onnx.conversion import convert
from symmflow_jax.inference.export.onnx.flattening import flatten
from symmflow_jax.inference.export.onnx.operators import OPERATORS

_RNG = np.random.default_rng(0)
_X = _RNG.standard_normal((2, 6, 4), np.float32)
_KERNEL = _RNG.standard_normal((3, 3, 4, 5), np.float32)
_TABLE = _RNG.standard_normal((4, 3), np.float32)


def _image(x):
    return jnp.reshape(x, (1, 3, 4, 4))


def _indices(x):
    return jnp.argmax(x, axis=-1).astype(jnp.int32)


def _convolve(x, **options):
    return lax.conv_general_dilated(
        _image(x), _KERNEL, dimension_numbers=("NHWC", "HWIO", "NHWC"), **options
    )


FUNCTIONS = {
    "arithmetic": lambda x: {"y": (x + 1.5) * x - x / 3.0 + jnp.abs(x) ** 1.5 - (-x) ** 3},
    "broadcasting": lambda x: {"y": x * jnp.arange(4.0)[None, None] + x[:, :1] + x[..., :1]},
    "functions": lambda x: {
        "y": jnp.exp(x) + jnp.sin(x) * jnp.cos(x) + jnp.tanh(x) + jax.nn.sigmoid(x),
        "z": lax.rsqrt(jnp.abs(x)) + jnp.sqrt(jnp.abs(x)) + jnp.log(jnp.abs(x)) + lax.square(x),
        "erf": lax.erf(x) + lax.erfc(x) + jnp.sign(x) + jax.nn.gelu(x, approximate=False),
    },
    "rounding": lambda x: {"y": jnp.round(2.0 * x), "f": jnp.floor(x), "c": jnp.ceil(x)},
    "comparisons": lambda x: {
        "y": jnp.where((x > 0.5) | (x <= -0.5), x, 2.0),
        "z": jnp.where((x < 0.0) & ~(x >= 1.0), x != x[:, :1], x == x),
        "clamp": lax.clamp(-0.5, x, 0.5) + jnp.clip(x, -1.0, 1.0),
        "constants": jnp.where(x[:1, :1, :1] > 0.0, jnp.zeros((1, 1, 1)), jnp.ones((1, 1, 1))),
    },
    "types": lambda x: {"y": (10.0 * x).astype(jnp.int32), "z": (x > 0.0).astype(jnp.float32)},
    "shapes": lambda x: {
        "y": jnp.transpose(x, (2, 0, 1)),
        "z": jnp.concatenate([x, x[:, ::2]], axis=1),
        "pad": jnp.pad(x, ((0, 0), (1, 2), (0, 1))),
        "split": jnp.split(x, [1], axis=-1)[1],
        "stack": jnp.stack([x, 2.0 * x], axis=1),
        "unstack": jnp.unstack(x, axis=1)[3],
        "repeat": jnp.broadcast_to(x[:, None], (2, 3, 6, 4)),
        "slice": lax.dynamic_slice(x, (0, 5, 1), (2, 3, 2)),
        "expand": lax.expand_dims(x, (0,)),
        "squeeze": lax.squeeze(x[:1], (0,)),
    },
    "reductions": lambda x: {
        "sum": jnp.sum(x, axis=(0, 2)), "max": jnp.max(x, axis=1), "min": jnp.min(x, axis=1),
        "prod": jnp.prod(x, axis=2), "any": jnp.any(x > 1.0, axis=2), "none": jnp.mean(x, axis=()),
        "all": jnp.all(x > -1.0, axis=2), "argmax": jnp.argmax(x, axis=2),
        "argmin": jnp.argmin(x, axis=1),
    },
    "products": lambda x: {
        "dense": jnp.einsum("abc,cd->abd", x, _TABLE),
        "batched": jnp.einsum("abc,adc->abd", x, x),
        "flipped": jnp.einsum("ca,bc->ab", x[0], x[1].T),
    },
    "convolutions": lambda x: {
        "plain": _convolve(x, window_strides=(1, 1), padding=((1, 1), (1, 1))),
        "strided": _convolve(x, window_strides=(2, 2), padding=((0, 1), (0, 1))),
        "dilated": _convolve(
            x, window_strides=(1, 1), padding=((2, 2), (2, 2)), rhs_dilation=(2, 2)
        ),
    },
    "indexing": lambda x: {
        "table": jnp.asarray(_TABLE)[_indices(x)],
        "along": jnp.take_along_axis(x, _indices(x)[..., None], axis=-1),
        "columns": x[:, :, jnp.asarray([3, 0, 0])],
        "columns_of": jnp.take(x, _indices(x)[0, :2], axis=1),
    },
    "no change": lambda x: {"y": lax.stop_gradient(x) + lax.optimization_barrier(x) + jnp.copy(x)},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _standard_promotion():
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@pytest.mark.parametrize("name", FUNCTIONS)
def test_results_are_those_of_jax(name):
    function = FUNCTIONS[name]
    given = jax.ShapeDtypeStruct(_X.shape, _X.dtype)
    model = convert(function, "f", given, "x", {})
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names = [port.name for port in session.get_outputs()]
    results = dict(zip(names, session.run(None, {"x": _X}), strict=True))
    for key, expected in jax.jit(function)(_X).items():
        assert results[key].dtype == expected.dtype
        assert results[key].shape == expected.shape, key
        np.testing.assert_allclose(results[key], expected, atol=2e-5, err_msg=key)


def test_every_operation_is_tried():
    given = jax.ShapeDtypeStruct(_X.shape, _X.dtype)
    tried = {
        equation.primitive.name
        for function in FUNCTIONS.values()
        for equation in flatten(function, given).jaxpr.eqns
    }
    # The same as another one, or of a version of JAX.
    assert set(OPERATORS) - tried <= {"add_any", "copy_p", "expand_dims", "stack", "unstack"}


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (lambda x: lax.pad(x, 0.0, ((0, 0, 1), (0, 0, 0), (0, 0, 0))), "padding between values"),
        (lambda x: lax.round(x), "rounding halves away from zero"),
        (lambda x: lax.dynamic_slice(x, (0, _indices(x)[0, 0], 0), (2, 1, 4)), "a slice whose"),
        (
            lambda x: lax.conv_general_dilated(
                _image(x), _KERNEL, (1, 1), ((1, 1), (1, 1)), lhs_dilation=(2, 2),
                dimension_numbers=("NHWC", "HWIO", "NHWC"),
            ),
            "a transposed convolution",
        ),
    ],
)  # fmt: skip
def test_forms_that_are_missing_are_named(function, what):
    given = jax.ShapeDtypeStruct(_X.shape, _X.dtype)
    with pytest.raises(NotImplementedError, match=what):
        convert(lambda x: {"y": function(x)}, "f", given, "x", {})
