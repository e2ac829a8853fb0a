"""Conversion of functions of JAX to graphs of ONNX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

# ruff: noqa: E402
from symmflow_jax.inference.export.onnx.conversion import convert


def test_outputs_have_their_names():
    def function(x):
        return {"z": x + 1.0, "a": jnp.float32(3.0), "same": x, "many": jnp.arange(100.0)}

    given = jax.ShapeDtypeStruct((2,), np.float32)
    model = convert(function, "f", given, "x", {})
    session = onnxruntime.InferenceSession(model.SerializeToString())
    x = np.asarray([1.0, 2.0], np.float32)
    names = [port.name for port in session.get_outputs()]
    outputs = dict(zip(names, session.run(None, {"x": x}), strict=True))
    for name, expected in function(x).items():
        np.testing.assert_array_equal(outputs[name], expected)


def test_an_operation_without_a_form_is_named():
    given = jax.ShapeDtypeStruct((2,), np.float32)
    with pytest.raises(NotImplementedError, match="the operation cumsum"):
        convert(lambda x: {"y": jax.lax.cumsum(x)}, "f", given, "x", {})
