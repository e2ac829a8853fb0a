"""Tables that name every array of a network here and in a PyTorch state dict.

The table of a network is made from its attributes. Each entry has the names of one array on both
sides and the layout of its axes. A conversion covers every array: missing and surplus arrays and
arrays of another shape raise an error that lists them.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from flax import traverse_util

from symmflow_jax.interop.finite import check_finite
from symmflow_jax.runtime.errors import shown

Path = tuple[str, ...]
Shape = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Layout:
    """Conversion of the axes of one array: two functions, inverse to each other."""

    from_torch: Callable[[np.ndarray], np.ndarray]
    to_torch: Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Entry:
    """One array: its key in the state dict, its path in the parameters, its layout."""

    name: str
    path: Path
    layout: Layout


SAME = Layout(lambda array: array, lambda array: array)
CONV = Layout(lambda array: array.transpose(2, 3, 1, 0), lambda array: array.transpose(3, 2, 0, 1))
"""`[out, in, height, width]` and `[height, width, in, out]`."""
LINEAR = Layout(np.transpose, np.transpose)
"""`[out, in]` and `[in, out]`."""
POINTWISE = Layout(lambda array: array[:, :, 0].T, lambda array: array.T[:, :, None])
"""A convolution of size 1 over a sequence, `[out, in, 1]`, and a dense layer, `[in, out]`."""


def layer(prefix: str, path: Path, layout: Layout) -> Iterator[Entry]:
    """Kernel and bias of a dense or convolutional layer."""
    yield Entry(f"{prefix}.weight", (*path, "kernel"), layout)
    yield Entry(f"{prefix}.bias", (*path, "bias"), SAME)


def norm(prefix: str, path: Path) -> Iterator[Entry]:
    """Scale and bias of a normalisation."""
    yield Entry(f"{prefix}.weight", (*path, "scale"), SAME)
    yield Entry(f"{prefix}.bias", (*path, "bias"), SAME)


def from_state_dict(
    state_dict: Mapping[str, np.ndarray],
    table: Iterable[Entry],
    shapes: Mapping[Path, Shape],
    remedy: str,
) -> dict[str, Any]:
    """Converts a state dict to nested parameters, float32.

    Args:
        state_dict: array of each name, of any float dtype.
        table: an entry for every array.
        shapes: shape of each parameter by path.
        remedy: last sentence of the error message.

    Raises:
        ValueError: naming the keys that are missing, surplus or of another shape, or whose values
            are not finite.
    """
    table = tuple(table)
    expected = {entry.name: _torch_shape(entry, shapes) for entry in table}
    _check_shapes({name: np.shape(array) for name, array in state_dict.items()}, expected, remedy)
    check_finite({entry.name: state_dict[entry.name] for entry in table})
    return traverse_util.unflatten_dict(
        {
            entry.path: np.ascontiguousarray(
                entry.layout.from_torch(np.asarray(state_dict[entry.name])), np.float32
            )
            for entry in table
        }
    )


def to_state_dict(
    params: Mapping[str, Any],
    table: Iterable[Entry],
    shapes: Mapping[Path, Shape],
    remedy: str,
) -> dict[str, np.ndarray]:
    """Converts nested parameters to a state dict, float32, in the order of the table.

    Raises:
        ValueError: naming the parameters that are missing, surplus or of another shape.
    """
    arrays = traverse_util.flatten_dict(params)
    _check_shapes(
        {"/".join(path): np.shape(array) for path, array in arrays.items()},
        {"/".join(path): shape for path, shape in shapes.items()},
        remedy,
    )
    return {
        entry.name: np.ascontiguousarray(
            entry.layout.to_torch(np.asarray(arrays[entry.path])), np.float32
        )
        for entry in table
    }


def shapes_of(tree: Mapping[str, Any]) -> dict[Path, Shape]:
    """The shape of each array of nested parameters, such as those of `jax.eval_shape`."""
    return {path: array.shape for path, array in traverse_util.flatten_dict(tree).items()}


def _torch_shape(entry: Entry, shapes: Mapping[Path, Shape]) -> Shape:
    # A view of one number, so shapes of large networks need no memory.
    stand_in = np.broadcast_to(np.float32(0), shapes[entry.path])
    return entry.layout.to_torch(stand_in).shape


def _check_shapes(found: Mapping[str, Shape], expected: Mapping[str, Shape], remedy: str) -> None:
    missing = [name for name in expected if name not in found]
    surplus = [name for name in found if name not in expected]
    misshapen = [
        f"{name} is {found[name]}, not {shape}"
        for name, shape in expected.items()
        if name in found and found[name] != shape
    ]
    problems = [
        f"{kind}: {_listed(names)}"
        for kind, names in (("missing", missing), ("surplus", surplus), ("misshapen", misshapen))
        if names
    ]
    if problems:
        raise ValueError(f"The weights do not fit the network ({'; '.join(problems)}). {remedy}")


def _listed(names: list[str]) -> str:
    """The first names as text, because another network may differ in hundreds of them."""
    more = f" and {len(names) - _NUM_SHOWN} more" if len(names) > _NUM_SHOWN else ""
    return ", ".join(shown(name[:_MOST_LETTERS]) for name in names[:_NUM_SHOWN]) + more


_NUM_SHOWN = 30
_MOST_LETTERS = 120
