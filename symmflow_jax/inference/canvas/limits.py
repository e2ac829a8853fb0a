"""What a network can take in one pass."""

from symmflow_jax.data.geometry.fit import Size
from symmflow_jax.methods.symmflow import SymmFlow

MOST_TOKENS = 2**14
"""Largest number of places between which attention compares in one pass.

Attention sees all pairs of them: twice as many cost four times the time and memory.
"""


def check_whole(method: SymmFlow, size: Size) -> None:
    """Raises a ValueError if images of a size have too many places for attention in one pass.

    Args:
        method: the method.
        size: height and width in pixels.
    """
    rate = method.attention_rate
    if rate is None:
        return
    tokens = size[0] * size[1] // rate**2
    if tokens > MOST_TOKENS:
        share = (MOST_TOKENS / tokens) ** 0.5
        raise ValueError(
            f"An image of {size[1]}x{size[0]} pixels has {tokens} places for the attention of this "
            f"network, which takes at most {MOST_TOKENS} in one pass; choose the fit 'tiles', or a "
            f"scale smaller by {share:.2f}."
        )
