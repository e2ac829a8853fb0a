"""Two interleaved spirals: the two-dimensional toy."""

import numpy as np

from symmflow_jax.data import source
from symmflow_jax.data.sources.synthetic.drawn_points import DrawnPoints
from symmflow_jax.semantics import labels

# Neighbouring arms are 1.4 / 3 = 0.47 apart, half of which is eight times the noise.
_FIRST_ANGLE, _LAST_ANGLE = 0.5 * np.pi, 3.0 * np.pi
_OUTER_RADIUS = 1.4
_NOISE = 0.03


class Spirals(DrawnPoints):
    """Points "image" float32 `[2]` of two spirals, with "label" int32 `[]`.

    The points lie in about [-1.5, 1.5], both coordinates with mean 0; even indices belong to
    the first spiral, odd ones to the second, which is the first one turned by half a turn.

    Args:
        size: number of points.
        split: "train" or "test", whose points differ.
        seed: origin of the randomness, at least 0.
    """

    def __init__(self, size: int, split: str, seed: int):
        source.check_drawn(size, split, seed)
        spirals = (np.arange(size) % 2).astype(np.int32)
        points = _draw(source.random_stream(seed, split), spirals)
        super().__init__(points, spirals, labels.consecutive(("first", "second")))


def _draw(rng: np.random.Generator, spirals: np.ndarray) -> np.ndarray:
    """Points, float32 `[n, 2]`, spread evenly along the arms of spirals `[n]`."""
    # The arc grows with the square of the angle, so its root spreads the points evenly.
    angles = np.sqrt(rng.uniform(_FIRST_ANGLE**2, _LAST_ANGLE**2, len(spirals)))
    radii = _OUTER_RADIUS * angles / _LAST_ANGLE
    turned = angles + np.pi * spirals
    points = radii[:, None] * np.stack([np.cos(turned), np.sin(turned)], axis=-1)
    return (points + rng.normal(scale=_NOISE, size=points.shape)).astype(np.float32)
