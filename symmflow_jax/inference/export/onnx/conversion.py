"""Conversion of a flat program of JAX to a graph of ONNX."""

from collections.abc import Callable
from typing import Any

import jax
import onnx
from jax.extend import core

from symmflow_jax.inference.export.onnx.flattening import flatten
from symmflow_jax.inference.export.onnx.graph import Graph
from symmflow_jax.inference.export.onnx.operators import OPERATORS, Operation, literal


def convert(
    function: Callable[[jax.Array], dict[str, jax.Array]],
    name: str,
    given: jax.ShapeDtypeStruct,
    input_name: str,
    metadata: dict[str, str],
) -> onnx.ModelProto:
    """Converts a function of one array to a model of ONNX.

    What does not depend on the input is computed here and becomes constants: weights, noise and
    times.

    Args:
        function: from an array to arrays by name.
        name: name of the graph.
        given: shape and dtype of the input.
        input_name: its name in the graph.
        metadata: texts that the file says about itself.

    Raises:
        NotImplementedError: if an operation has no form in ONNX here; the message names it.
    """
    flat = flatten(function, given)
    outputs = jax.eval_shape(function, given)
    graph = Graph()
    values: dict[Any, str] = {flat.jaxpr.invars[0]: input_name}
    known = dict(zip(flat.jaxpr.constvars, flat.consts, strict=True))
    for equation in flat.jaxpr.eqns:
        operator = OPERATORS.get(equation.primitive.name)
        if operator is None:
            raise NotImplementedError(f"the operation {equation.primitive.name}")
        operation = Operation(graph, equation, values, known)
        values.update(zip(equation.outvars, operator(operation), strict=True))

    def value_of(variable: Any) -> str:
        if isinstance(variable, core.Literal):
            return graph.constant(literal(variable))
        return values[variable] if variable in values else graph.constant(known[variable])

    # Dictionaries of JAX are sorted by their keys.
    results = dict(zip(sorted(outputs), map(value_of, flat.jaxpr.outvars), strict=True))
    ports = {key: (results[key], outputs[key]) for key in outputs}
    return graph.finish(name, {input_name: given}, ports, metadata)
