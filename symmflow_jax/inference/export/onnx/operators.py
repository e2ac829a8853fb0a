"""The operations of JAX that have a form in ONNX, by the names of their primitives.

Shapes are known, and data has the layout of JAX, with channels last.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jax.extend import core

from symmflow_jax.inference.export.onnx.graph import Graph, onnx_type

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclasses.dataclass(frozen=True)
class Operation:
    """An operation of a flat program, to be added to a graph.

    Attributes:
        graph: the graph.
        equation: the operation.
        values: names in the graph by variable.
        known: constants by variable.
    """

    graph: Graph
    equation: Any
    values: dict[Any, str]
    known: dict[Any, Any]

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the primitive."""
        return self.equation.params

    @property
    def result(self) -> Any:
        """Shape and dtype of the first result."""
        return self.equation.outvars[0].aval

    def shape(self, index: int = 0) -> tuple[int, ...]:
        """Shape of an operand."""
        return self.equation.invars[index].aval.shape

    def array(self, index: int) -> np.ndarray | None:
        """The array of an operand that is a constant; None for another one."""
        variable: Any = self.equation.invars[index]
        if isinstance(variable, core.Literal):
            return literal(variable)
        return np.asarray(self.known[variable]) if variable in self.known else None

    def operand(self, index: int = 0, *, compact: bool = False) -> str:
        """The name of an operand.

        Args:
            index: its number.
            compact: whether a constant may have length 1 along axes where it does not change, for
                operators that broadcast.
        """
        array = self.array(index)
        if array is None:
            return self.values[self.equation.invars[index]]
        return self.graph.constant(_compact(array) if compact else array)

    def operands(self) -> list[str]:
        """The names of all operands."""
        return [self.operand(index) for index in range(len(self.equation.invars))]

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Adds a node of one output."""
        return self.graph.node(operator, *inputs, **attributes)

    def numbers(self, values: Sequence[int]) -> str:
        """A constant of int64, as ONNX takes shapes and axes."""
        return self.graph.constant(np.asarray(values, np.int64))

    def reshaped(self, value: str, shape: Sequence[int]) -> str:
        """A value in another shape."""
        return self.node("Reshape", value, self.numbers(shape))

    def cast(self, value: str, dtype: Any) -> str:
        """A value in another dtype."""
        return self.node("Cast", value, to=onnx_type(dtype))


def literal(variable: Any) -> np.ndarray:
    """The array of a constant that stands in a program itself."""
    return np.asarray(variable.val, variable.aval.dtype)


Operator = Callable[[Operation], list[str]]
"""Adds an operation to its graph, and returns the names of its results."""


def _compact(array: np.ndarray) -> np.ndarray:
    for axis in range(array.ndim):
        first = array.take([0], axis)
        if array.shape[axis] > 1 and (array == first).all():
            array = first
    return array


def _elementwise(operator: str) -> Operator:
    """An operator of ONNX that broadcasts its operands."""

    def add(operation: Operation) -> list[str]:
        indices = range(len(operation.equation.invars))
        operands = [operation.operand(index, compact=True) for index in indices]
        return [operation.node(operator, *operands)]

    return add


def _chain(*operators: str) -> Operator:
    """Operators of one operand, one after another."""

    def add(operation: Operation) -> list[str]:
        value = operation.operand()
        for operator in operators:
            value = operation.node(operator, value)
        return [value]

    return add


def _identity(operation: Operation) -> list[str]:
    return operation.operands()


def _not_equal(operation: Operation) -> list[str]:
    return [operation.node("Not", *_elementwise("Equal")(operation))]


def _square(operation: Operation) -> list[str]:
    value = operation.operand()
    return [operation.node("Mul", value, value)]


def _power(operation: Operation) -> list[str]:
    exponent = np.asarray(operation.parameters["y"], operation.result.dtype)
    return [operation.node("Pow", operation.operand(), operation.graph.constant(exponent))]


def _erfc(operation: Operation) -> list[str]:
    one = operation.graph.constant(np.asarray(1, operation.result.dtype))
    return [operation.node("Sub", one, operation.node("Erf", operation.operand()))]


def _round(operation: Operation) -> list[str]:
    if operation.parameters["rounding_method"] != 1:
        raise NotImplementedError("rounding halves away from zero")
    return [operation.node("Round", operation.operand())]


def _select(operation: Operation) -> list[str]:
    if len(operation.equation.invars) != 3:
        raise NotImplementedError("a selection among more than two arrays")
    condition, if_false, if_true = (operation.operand(i, compact=True) for i in range(3))
    if operation.result.dtype == np.bool_:
        # onnxruntime selects no truth values.
        chosen = operation.node("And", condition, if_true)
        other = operation.node("And", operation.node("Not", condition), if_false)
        value = operation.node("Or", chosen, other)
    else:
        value = operation.node("Where", condition, if_true, if_false)
    # Compact constants alone would have another shape.
    return [operation.node("Expand", value, operation.numbers(operation.result.shape))]


def _clamp(operation: Operation) -> list[str]:
    low, value, high = operation.operands()
    return [operation.node("Min", operation.node("Max", value, low), high)]


def _convert(operation: Operation) -> list[str]:
    return [operation.cast(operation.operand(), operation.parameters["new_dtype"])]


def _reshape(operation: Operation) -> list[str]:
    return [operation.reshaped(operation.operand(), operation.result.shape)]


def _transpose(operation: Operation) -> list[str]:
    order = list(operation.parameters["permutation"])
    return [operation.node("Transpose", operation.operand(), perm=order)]


def _broadcast(operation: Operation) -> list[str]:
    shape = [1] * len(operation.result.shape)
    for axis, length in zip(
        operation.parameters["broadcast_dimensions"], operation.shape(), strict=True
    ):
        shape[axis] = length
    value = operation.reshaped(operation.operand(), shape)
    if tuple(shape) == operation.result.shape:
        return [value]
    return [operation.node("Expand", value, operation.numbers(operation.result.shape))]


def _concatenate(operation: Operation) -> list[str]:
    return [operation.node("Concat", *operation.operands(), axis=operation.parameters["dimension"])]


def _stack(operation: Operation) -> list[str]:
    axis = operation.parameters["axis"]
    axes = operation.numbers([axis])
    parts = [operation.node("Unsqueeze", value, axes) for value in operation.operands()]
    return [operation.node("Concat", *parts, axis=axis)]


def _split(operation: Operation) -> list[str]:
    sizes, axis = operation.parameters["sizes"], operation.parameters["axis"]
    operands = operation.operand(), operation.numbers(sizes)
    return operation.graph.nodes("Split", len(sizes), *operands, axis=axis)


def _unstack(operation: Operation) -> list[str]:
    axis, count = operation.parameters["axis"], len(operation.equation.outvars)
    operands = operation.operand(), operation.numbers([1] * count)
    parts = operation.graph.nodes("Split", count, *operands, axis=axis)
    return [operation.node("Squeeze", part, operation.numbers([axis])) for part in parts]


def _slice(operation: Operation) -> list[str]:
    starts, limits = operation.parameters["start_indices"], operation.parameters["limit_indices"]
    strides = operation.parameters["strides"] or (1,) * len(starts)
    return [_sliced(operation, starts, limits, strides)]


def _dynamic_slice(operation: Operation) -> list[str]:
    found = [operation.array(index) for index in range(1, len(operation.equation.invars))]
    sizes = operation.parameters["slice_sizes"]
    starts = [start for start in found if start is not None]
    if len(starts) < len(found):
        raise NotImplementedError("a slice whose place depends on the input")
    # As JAX does, so that a slice lies inside.
    begins = [
        int(np.clip(start, 0, length - size))
        for start, length, size in zip(starts, operation.shape(), sizes, strict=True)
    ]
    ends = [begin + size for begin, size in zip(begins, sizes, strict=True)]
    return [_sliced(operation, begins, ends, [1] * len(begins))]


def _sliced(
    operation: Operation, starts: Sequence[int], ends: Sequence[int], steps: Sequence[int]
) -> str:
    given = (operation.numbers(values) for values in (starts, ends, range(len(starts)), steps))
    return operation.node("Slice", operation.operand(), *given)


def _pad(operation: Operation) -> list[str]:
    widths = operation.parameters["padding_config"]
    if any(low < 0 or high < 0 or inner for low, high, inner in widths):
        raise NotImplementedError("padding between values, or of negative width")
    pads = operation.numbers([low for low, _, _ in widths] + [high for _, high, _ in widths])
    return [operation.node("Pad", operation.operand(0), pads, operation.operand(1))]


def _reduce(operator: str) -> Operator:
    def add(operation: Operation) -> list[str]:
        return [_reduced(operation, operator, operation.operand())]

    return add


def _reduce_truths(operator: str) -> Operator:
    def add(operation: Operation) -> list[str]:
        counts = operation.cast(operation.operand(), np.int32)
        return [operation.cast(_reduced(operation, operator, counts), np.bool_)]

    return add


def _reduced(operation: Operation, operator: str, value: str) -> str:
    axes = operation.parameters["axes"]
    # Without axes, ONNX would reduce all of them.
    return operation.node(operator, value, operation.numbers(axes), keepdims=0) if axes else value


def _arg(operator: str) -> Operator:
    def add(operation: Operation) -> list[str]:
        (axis,) = operation.parameters["axes"]
        index = operation.node(operator, operation.operand(), axis=axis, keepdims=0)
        return [operation.cast(index, operation.parameters["index_dtype"])]

    return add


def _dot(operation: Operation) -> list[str]:
    (left, right), (left_batch, right_batch) = operation.parameters["dimension_numbers"]
    left_rank, right_rank = len(operation.shape(0)), len(operation.shape(1))
    is_plain = right_rank == 2 and not left_batch and tuple(right) == (0,)
    if is_plain and tuple(left) == (left_rank - 1,):
        return [operation.node("MatMul", *operation.operands())]
    letters = iter(_LETTERS)
    first = [next(letters) for _ in range(left_rank)]
    second = [next(letters) for _ in range(right_rank)]
    for a, b in zip((*left, *left_batch), (*right, *right_batch), strict=True):
        second[b] = first[a]
    free = [first[a] for a in range(left_rank) if a not in (*left, *left_batch)]
    free += [second[b] for b in range(right_rank) if b not in (*right, *right_batch)]
    result = [first[a] for a in left_batch] + free
    form = f"{''.join(first)},{''.join(second)}->{''.join(result)}"
    return [operation.node("Einsum", *operation.operands(), equation=form)]


def _convolution(operation: Operation) -> list[str]:
    given = operation.parameters
    dimensions = given["dimension_numbers"]
    if any(step != 1 for step in given["lhs_dilation"]) or given["batch_group_count"] != 1:
        raise NotImplementedError("a transposed convolution")
    pads = [low for low, _ in given["padding"]] + [high for _, high in given["padding"]]
    kernel = operation.array(1)
    if kernel is None:
        raise NotImplementedError("a convolution whose kernel depends on the input")
    weights = operation.graph.constant(kernel.transpose(dimensions.rhs_spec))
    images = operation.node("Transpose", operation.operand(0), perm=list(dimensions.lhs_spec))
    result = operation.node(
        "Conv",
        images,
        weights,
        pads=pads,
        strides=list(given["window_strides"]),
        dilations=list(given["rhs_dilation"]),
        group=given["feature_group_count"],
    )
    back = [int(axis) for axis in np.argsort(dimensions.out_spec)]
    return [operation.node("Transpose", result, perm=back)]


def _gather(operation: Operation) -> list[str]:
    """Indexing, such as `table[labels]`; indices must lie inside of the array."""
    dimensions = operation.parameters["dimension_numbers"]
    sizes = operation.parameters["slice_sizes"]
    shape, indices_shape = operation.shape(0), operation.shape(1)
    batching = tuple(dimensions.operand_batching_dims)
    indexed = (*batching, *dimensions.start_index_map)
    kept = [axis for axis in range(len(shape)) if axis not in indexed]
    if set(indexed) != {*dimensions.collapsed_slice_dims, *batching} or any(
        sizes[axis] != shape[axis] for axis in kept
    ):
        raise NotImplementedError("an indexing by parts of axes")
    indices = operation.cast(operation.operand(1), np.int64)
    if batching:
        # An index of its own place along each axis that both arrays share.
        places = np.indices(indices_shape[:-1])
        own = [places[axis] for axis in dimensions.start_indices_batching_dims]
        own_indices = operation.graph.constant(np.stack(own, -1).astype(np.int64))
        indices = operation.node("Concat", own_indices, indices, axis=-1)
    ordered = operation.node("Transpose", operation.operand(0), perm=[*indexed, *kept])
    found = operation.node("GatherND", ordered, indices)
    # Axes of the indices come first here, and those of the slices where JAX wants them.
    rank, offsets = len(operation.result.shape), dimensions.offset_dims
    order = [axis for axis in range(rank) if axis not in offsets] + list(offsets)
    return [operation.node("Transpose", found, perm=[order.index(axis) for axis in range(rank)])]


OPERATORS: dict[str, Operator] = {
    **{
        name: _elementwise(operator)
        for name, operator in {
            "add": "Add",
            "add_any": "Add",
            "sub": "Sub",
            "mul": "Mul",
            "div": "Div",
            "max": "Max",
            "min": "Min",
            "pow": "Pow",
            "eq": "Equal",
            "lt": "Less",
            "le": "LessOrEqual",
            "gt": "Greater",
            "ge": "GreaterOrEqual",
            "and": "And",
            "or": "Or",
        }.items()
    },
    **{
        name: _chain(*operators)
        for name, operators in {
            "abs": ("Abs",),
            "ceil": ("Ceil",),
            "cos": ("Cos",),
            "erf": ("Erf",),
            "exp": ("Exp",),
            "floor": ("Floor",),
            "log": ("Log",),
            "logistic": ("Sigmoid",),
            "neg": ("Neg",),
            "not": ("Not",),
            "rsqrt": ("Sqrt", "Reciprocal"),
            "sign": ("Sign",),
            "sin": ("Sin",),
            "sqrt": ("Sqrt",),
            "tanh": ("Tanh",),
        }.items()
    },
    **dict.fromkeys(("copy", "copy_p", "optimization_barrier", "stop_gradient"), _identity),
    **dict.fromkeys(("reshape", "squeeze", "expand_dims"), _reshape),
    "argmax": _arg("ArgMax"),
    "argmin": _arg("ArgMin"),
    "broadcast_in_dim": _broadcast,
    "clamp": _clamp,
    "concatenate": _concatenate,
    "conv_general_dilated": _convolution,
    "convert_element_type": _convert,
    "dot_general": _dot,
    "dynamic_slice": _dynamic_slice,
    "erfc": _erfc,
    "gather": _gather,
    "integer_pow": _power,
    "ne": _not_equal,
    "pad": _pad,
    "reduce_and": _reduce_truths("ReduceMin"),
    "reduce_max": _reduce("ReduceMax"),
    "reduce_min": _reduce("ReduceMin"),
    "reduce_or": _reduce_truths("ReduceMax"),
    "reduce_prod": _reduce("ReduceProd"),
    "reduce_sum": _reduce("ReduceSum"),
    "round": _round,
    "select_n": _select,
    "slice": _slice,
    "split": _split,
    "square": _square,
    "stack": _stack,
    "transpose": _transpose,
    "unstack": _unstack,
}
