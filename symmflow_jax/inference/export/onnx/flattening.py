"""Programs of JAX as one list of operations, with all that does not depend on the input computed.

ONNX has no random numbers of JAX. What remains of a program with a fixed seed has none either:
noise depends on the seed alone, and so becomes a constant.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.extend import core

_CALLS = ("jaxpr", "call_jaxpr", "fun_jaxpr")
"""Parameters that hold the program that an operation calls."""

_LOOPS = ("while",)


def flatten(function: Callable[..., Any], *shapes: jax.ShapeDtypeStruct) -> core.ClosedJaxpr:
    """A function as a program without calls, loops and choices of platforms.

    Args:
        function: the function of arrays; its loops have lengths that are known.
        *shapes: shape and dtype of each argument.

    Raises:
        NotImplementedError: if the number of turns of a loop depends on its values.
    """
    closed = jax.make_jaxpr(function)(*shapes)
    return jax.make_jaxpr(lambda *values: _evaluate(closed.jaxpr, closed.consts, values))(*shapes)


def _evaluate(jaxpr: Any, consts: Sequence[Any], arguments: Sequence[Any]) -> list[Any]:
    values = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *arguments], strict=True))

    def read(variable: Any) -> Any:
        return variable.val if isinstance(variable, core.Literal) else values[variable]

    for equation in jaxpr.eqns:
        results = _results(equation, [read(variable) for variable in equation.invars])
        values.update(zip(equation.outvars, results, strict=True))
    return [read(variable) for variable in jaxpr.outvars]


def _results(equation: Any, values: list[Any]) -> Sequence[Any]:
    """The results of an operation, computed at once if all of its operands are known."""
    primitive, parameters = equation.primitive, equation.params
    name = primitive.name
    if name in _LOOPS:
        raise NotImplementedError(f"a loop ({name}) whose number of turns is not known before")
    if name == "platform_index":
        # The choice for other platforms than those that are named.
        return [parameters["platforms"].index(None)]
    if name == "cond" and not _is_traced(values[0]):
        branch = parameters["branches"][int(values[0])]
        return _evaluate(branch.jaxpr, branch.consts, values[1:])
    if name == "scan":
        return _unrolled(parameters, values)
    for key in _CALLS:
        if key in parameters:
            inner = parameters[key]
            return _evaluate(getattr(inner, "jaxpr", inner), getattr(inner, "consts", ()), values)
    if any(map(_is_traced, values)):
        results = primitive.bind(*values, **parameters)
    else:
        with jax.ensure_compile_time_eval():
            results = primitive.bind(*values, **parameters)
    return results if primitive.multiple_results else [results]


def _unrolled(parameters: dict[str, Any], values: list[Any]) -> list[Any]:
    """The results of a scan: the last carry, and the stacked outputs of its turns."""
    num_consts, num_carry = parameters["num_consts"], parameters["num_carry"]
    consts, carry = values[:num_consts], values[num_consts : num_consts + num_carry]
    sequences = values[num_consts + num_carry :]
    body, length = parameters["jaxpr"], parameters["length"]
    turns: list[list[Any]] = [[] for _ in range(length)]
    for index in reversed(range(length)) if parameters["reverse"] else range(length):
        items = [_at(sequence, index) for sequence in sequences]
        results = _evaluate(body.jaxpr, body.consts, [*consts, *carry, *items])
        carry, turns[index] = results[:num_carry], results[num_carry:]
    return [*carry, *(_stacked(outputs) for outputs in zip(*turns, strict=True))]


def _at(sequence: Any, index: int) -> Any:
    if _is_traced(sequence):
        return jax.lax.index_in_dim(sequence, index, keepdims=False)
    with jax.ensure_compile_time_eval():
        return sequence[index]


def _stacked(outputs: Sequence[Any]) -> Any:
    if any(map(_is_traced, outputs)):
        return jax.lax.concatenate([jax.lax.expand_dims(x, (0,)) for x in outputs], 0)
    with jax.ensure_compile_time_eval():
        return jax.numpy.stack(outputs)


def _is_traced(value: Any) -> bool:
    return isinstance(value, jax.core.Tracer)
