"""Canvases of drawn scenes side by side, and what lies at the borders of windows."""

from typing import NamedTuple

import numpy as np

from symmflow_jax.data.sources.synthetic.shapes import SIDE, draw_scene


class Scenes(NamedTuple):
    """Canvases with their masks.

    Attributes:
        images: uint8 `[count, height, width, 3]`.
        masks: int32 `[count, height, width]`.
    """

    images: np.ndarray
    masks: np.ndarray


def singles(count: int, seed: int) -> Scenes:
    """Scenes of the size of the training, one by one."""
    rng = np.random.default_rng(seed)
    images, masks = zip(*(draw_scene(rng) for _ in range(count)), strict=True)
    return Scenes(np.stack(images), np.stack(masks))


def side_by_side(scenes: Scenes, across: int, shift: int = 0) -> Scenes:
    """Canvases of `across` times `across` scenes.

    Args:
        scenes: single scenes, as many as fill some canvases.
        across: scenes along each side.
        shift: pixels by which a canvas is rolled down and to the right.
    """

    def joined(tiles: np.ndarray) -> np.ndarray:
        height, width, *others = tiles.shape[1:]
        grid = tiles.reshape(-1, across, across, height, width, *others).swapaxes(2, 3)
        canvases = grid.reshape(-1, across * height, across * width, *others)
        return np.roll(canvases, (shift, shift), axis=(1, 2))

    return Scenes(joined(scenes.images), joined(scenes.masks))


def at_lines(values: np.ndarray, lines: np.ndarray, spared: np.ndarray) -> tuple[float, float]:
    """Means of what is known between neighbouring pixels: across some lines, and elsewhere.

    Args:
        values: float `[count, height, width]` pictures of something.
        lines: rows and columns before which a line runs.
        spared: rows and columns before which neither is measured.

    Returns:
        the mean absolute difference of neighbours across the lines, and across all others.
    """
    on, off = [], []
    for axis in (1, 2):
        differences = np.abs(np.diff(values.astype(np.float64), axis=axis))
        means = differences.mean(axis=tuple(a for a in range(3) if a != axis))
        before = np.arange(1, values.shape[axis])
        on.append(means[np.isin(before, lines)])
        off.append(means[~np.isin(before, np.concatenate([lines, spared]))])
    return float(np.concatenate(on).mean()), float(np.concatenate(off).mean())


def error_at_lines(wrong: np.ndarray, lines: np.ndarray, reach: int = 2) -> tuple[float, float]:
    """Shares of wrong pixels near some lines, and elsewhere.

    Args:
        wrong: bool `[count, height, width]`.
        lines: rows and columns before which a line runs.
        reach: pixels on either side of a line that are near it.
    """

    def near(length: int) -> np.ndarray:
        places = np.arange(length)[:, None]
        return np.any((places >= lines - reach) & (places < lines + reach), axis=1)

    rows, columns = near(wrong.shape[1]), near(wrong.shape[2])
    at = rows[:, None] | columns
    return float(wrong[:, at].mean()), float(wrong[:, ~at].mean())


def window_lines(length: int) -> np.ndarray:
    """The lines between windows without overlap."""
    return np.arange(SIDE, length, SIDE)
