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

_LOOPS = ("while", "scan")


def flatten(function: Callable[..., Any], *shapes: jax.ShapeDtypeStruct) -> core.ClosedJaxpr:
    """A function as a program without calls, loops and choices of platforms.

    Args:
        function: the function of arrays; its loops have lengths that are known.
        *shapes: shape and dtype of each argument.

    Raises:
        NotImplementedError: if the number of turns of a loop depends on its values.
    """
    # Without compilation, JAX makes a scan turn by turn.
    with jax.disable_jit():
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


def _is_traced(value: Any) -> bool:
    return isinstance(value, jax.core.Tracer)
