"""Search for the largest batch that fits."""

from collections.abc import Callable


def largest(fits: Callable[[int], bool], start: int) -> int:
    """The largest number that fits, with a relative error of at most 1/16; 0 if none fits.

    Args:
        fits: costly predicate of a number; if a number fits, so do all smaller ones. It must
            fail for some number, or the search does not end.
        start: first number to try, positive.
    """
    low, high = 0, start
    while fits(high):
        low, high = high, 2 * high
    while high - low > max(1, low // 16):
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
