"""The largest batch that fits."""

from collections.abc import Callable


def largest(fits: Callable[[int], bool], start: int) -> int:
    """The largest number that fits, to a sixteenth of it, or 0; what fits less does not return.

    Args:
        fits: whether a number fits; costly.
        start: where to begin, positive.
    """
    low, high = 0, start
    while fits(high):
        low, high = high, 2 * high
    while high - low > max(1, low // 16):
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
