"""A check that weights are numbers: finite, and floats."""

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np


def check_finite(arrays: Mapping[str, np.ndarray]) -> None:
    """Refuses arrays with values that are NaN, infinite, or infinite as float32.

    Args:
        arrays: arrays of any dtype by name.

    Raises:
        ValueError: naming the first arrays, with the number of such values.
    """
    problems = {name: _problem(np.asarray(array)) for name, array in arrays.items()}
    found = [f"{name} ({problem})" for name, problem in problems.items() if problem]
    if found:
        more = f" and {len(found) - _NUM_SHOWN} more" if len(found) > _NUM_SHOWN else ""
        raise ValueError(
            f"{len(found)} of {len(arrays)} arrays hold values that are no finite float32 numbers: "
            f"{', '.join(found[:_NUM_SHOWN])}{more}. The training that made them has diverged, or "
            "the file is damaged: take an earlier checkpoint, or copy the file again."
        )


def _problem(array: np.ndarray) -> str:
    """What is wrong with an array; empty if nothing is."""
    if not jnp.issubdtype(array.dtype, jnp.floating):
        return f"of dtype {array.dtype}, no floats"
    with np.errstate(over="ignore", invalid="ignore"):
        numbers = np.asarray(array, np.float32)
    finite = np.isfinite(numbers)
    if finite.all():
        return ""
    nan = int(np.isnan(numbers).sum())
    infinite = int(finite.size - finite.sum()) - nan
    large = infinite - int(np.isinf(array).sum())
    counts = ((nan, "NaN"), (infinite - large, "infinite"), (large, "too large for float32"))
    parts = [f"{count:,} {word}" for count, word in counts if count]
    return f"{', '.join(parts)} of {array.size:,} values"


_NUM_SHOWN = 5
