"""Graphs in the making."""

import jax
import numpy as np
import pytest

pytest.importorskip("onnx")

# ruff: noqa: E402
from symmflow_jax.inference.export.onnx.graph import Graph


def test_only_what_the_outputs_need_is_kept():
    graph = Graph()
    two = graph.constant(np.float32(2))
    assert graph.constant(np.float32(2)) == two != graph.constant(np.int32(2))
    graph.node("Sin", "x")
    doubled = graph.node("Mul", "x", two)
    given = jax.ShapeDtypeStruct((3,), np.float32)
    model = graph.finish("double", {"x": given}, {"y": (doubled, given)}, {"key": "text"})
    assert [node.op_type for node in model.graph.node] == ["Mul", "Identity"]
    assert [constant.name for constant in model.graph.initializer] == [two]
    assert model.metadata_props[0].value == "text"
