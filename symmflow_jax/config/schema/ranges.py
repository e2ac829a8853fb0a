"""Ranges of numbers: the values that a config key, or an argument of a function, may have.

A field of the config carries its range in its type, such as `Annotated[int, at_least(1)]`. NaN and
infinities are in no range.
"""

import dataclasses
import math
import numbers
from collections.abc import Iterable
from typing import Any

from symmflow_jax.runtime.errors import shown_value

LARGEST = 2**31 - 1
"""The largest whole number in any range: counters on devices have 32 bits."""


@dataclasses.dataclass(frozen=True)
class Range:
    """An interval of finite numbers.

    Attributes:
        low, high: the ends; infinite for no bound.
        open_low, open_high: True if the end itself is outside.
    """

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def __contains__(self, value: float) -> bool:
        if not isinstance(value, int) and not math.isfinite(value):
            return False
        high = self._highest(value)
        is_above = value > self.low if self.open_low else value >= self.low
        is_below = value < high if self.open_high else value <= high
        return is_above and is_below

    def __str__(self) -> str:
        parts = []
        if self.low > -math.inf:
            parts.append(f"{'above' if self.open_low else 'at least'} {self.low:g}")
        if self.high < math.inf:
            parts.append(f"{'below' if self.open_high else 'at most'} {_plain(self.high)}")
        return " and ".join(parts) or "a finite number"

    def requirement(self, value: float) -> str:
        """The range in words, for the message about a value outside of it."""
        if not isinstance(value, int) and math.isinf(value) and self != Range():
            return f"finite, {self}"
        high = self._highest(value)
        return f"{dataclasses.replace(self, high=high) if value > high else self}"

    def _highest(self, value: float) -> float:
        """The upper end for a value: whole numbers without one have `LARGEST`."""
        return LARGEST if isinstance(value, int) and self.high == math.inf else self.high


@dataclasses.dataclass(frozen=True)
class OneOf:
    """A few numbers.

    Attributes:
        values: the numbers.
    """

    values: tuple[float, ...]

    def __contains__(self, value: float) -> bool:
        return value in self.values

    def __str__(self) -> str:
        return " or ".join(map(str, self.values))

    def requirement(self, value: float) -> str:
        """The numbers in words."""
        del value
        return f"{self}"


def at_least(low: float) -> Range:
    """Numbers from `low` on."""
    return Range(low)


def above(low: float) -> Range:
    """Numbers greater than `low`."""
    return Range(low, open_low=True)


def between(low: float, high: float) -> Range:
    """Numbers from `low` to `high`, both included."""
    return Range(low, high)


def from_to_below(low: float, high: float) -> Range:
    """Numbers from `low` on, below `high`."""
    return Range(low, high, open_high=True)


OVERLAP = between(0, 0.9)
"""Shares of a window that the next one may cover; see `flow.windows`."""


def check(name: str, values: Iterable[float], allowed: Range | OneOf, given: Any = None) -> None:
    """Raises a ValueError for the first value that is outside of a range.

    Args:
        name: what the values are, for the message, such as "config.train.batch_size".
        values: the numbers.
        allowed: the range.
        given: what the message shows instead of a single number, such as the whole tuple.
    """
    for value in values:
        if value not in allowed:
            found, each = (value, "it") if given is None else (given, "each number")
            raise ValueError(
                f"{name} is {_in_words(found)}; {each} must be {allowed.requirement(value)}."
            )


def check_count(name: str, value: Any, low: int = 1) -> None:
    """Raises a ValueError unless an argument is a whole number, at least `low`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise ValueError(
            f"{name} is {shown_value(value)}; it must be a whole number, at least {low}."
        )
    check(name, (int(value),), at_least(low))


def _in_words(value: Any) -> str:
    try:
        return str(value)
    except ValueError:  # Python writes no int of thousands of digits.
        return shown_value(value)


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else f"{number:g}"
