"""A graph of ONNX in the making."""

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

OPSET = 18
IR_VERSION = 9


class Graph:
    """Collects the nodes and constants of a graph; values are known by their names."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._small: dict[Any, str] = {}
        self._count = 0

    def constant(self, array: Any) -> str:
        """The name of a constant; small ones that are equal share it."""
        array = np.asarray(array)
        key = (array.dtype.str, array.shape, array.tobytes()) if array.size < 64 else None
        if key in self._small:
            return self._small[key]
        name = self._new("c")
        self._constants.append(numpy_helper.from_array(array, name))
        if key is not None:
            self._small[key] = name
        return name

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Adds a node of one output, and returns the output's name."""
        return self.nodes(operator, 1, *inputs, **attributes)[0]

    def nodes(self, operator: str, num_outputs: int, *inputs: str, **attributes: Any) -> list[str]:
        """Adds a node, and returns the names of its outputs."""
        outputs = [self._new("v") for _ in range(num_outputs)]
        self._nodes.append(helper.make_node(operator, inputs, outputs, **attributes))
        return outputs

    def finish(
        self,
        name: str,
        inputs: dict[str, Any],
        outputs: dict[str, tuple[str, Any]],
        metadata: dict[str, str],
    ) -> onnx.ModelProto:
        """The model.

        Args:
            name: name of the graph.
            inputs: shape and dtype of each input by name.
            outputs: by name, the value that an output is, and its shape and dtype.
            metadata: texts that the file says about itself.
        """
        for output, (value, _) in outputs.items():
            self._nodes.append(helper.make_node("Identity", [value], [output]))
        graph = helper.make_graph(
            self._needed(set(outputs)),
            name,
            [_info(name, array) for name, array in inputs.items()],
            [_info(name, array) for name, (_, array) in outputs.items()],
        )
        used = {name for node in graph.node for name in node.input}
        graph.initializer.extend(c for c in self._constants if c.name in used)
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(
            graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="symmflow_jax"
        )
        helper.set_model_props(model, metadata)
        return model

    def _needed(self, wanted: set[str]) -> list[onnx.NodeProto]:
        """The nodes on which the outputs depend, in their order."""
        needed = []
        for node in reversed(self._nodes):
            if wanted.intersection(node.output):
                wanted |= set(node.input)
                needed.append(node)
        return needed[::-1]

    def _new(self, letter: str) -> str:
        self._count += 1
        return f"{letter}{self._count}"


def onnx_type(dtype: Any) -> int:
    """The number of ONNX for a dtype."""
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def _info(name: str, array: Any) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, onnx_type(array.dtype), array.shape)
