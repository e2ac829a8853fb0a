"""Two interleaved spirals: a two-dimensional toy data set."""

import numpy as np

from symmflow_jax.data import source
from symmflow_jax.data.sources.synthetic.drawn_points import DrawnPoints
from symmflow_jax.semantics import labels

# Neighbouring arms are 1.4 / 3 = 0.47 apart; half of that is eight times the noise.
_FIRST_ANGLE, _LAST_ANGLE = 0.5 * np.pi, 3.0 * np.pi
_OUTER_RADIUS = 1.4
_NOISE = 0.03


class Spirals(DrawnPoints):
    """Points "image" float32 `[2]` of two spirals, with "label" int32 `[]`.

    Both coordinates have mean 0 and lie in about [-1.5, 1.5]. Even indices belong to the first
    spiral, odd ones to the second. The second spiral is the first one rotated by 180 degrees.

    Args:
        size: number of points, at least 1.
        split: "train" or "test", with different points.
        seed: seed of the points, at least 0.

    Raises:
        ValueError: if size, split or seed is invalid.
    """

    def __init__(self, size: int, split: str, seed: int):
        source.check_drawn(size, split, seed)
        spirals = (np.arange(size) % 2).astype(np.int32)
        points = _draw(source.random_stream(seed, split), spirals)
        super().__init__(points, spirals, labels.consecutive(("first", "second")))


def _draw(rng: np.random.Generator, spirals: np.ndarray) -> np.ndarray:
    """Points, float32 `[n, 2]`, uniform along the arms of spirals `[n]`."""
    # The arc length grows with the square of the angle, so the root makes points uniform.
    angles = np.sqrt(rng.uniform(_FIRST_ANGLE**2, _LAST_ANGLE**2, len(spirals)))
    radii = _OUTER_RADIUS * angles / _LAST_ANGLE
    turned = angles + np.pi * spirals
    points = radii[:, None] * np.stack([np.cos(turned), np.sin(turned)], axis=-1)
    return (points + rng.normal(scale=_NOISE, size=points.shape)).astype(np.float32)
