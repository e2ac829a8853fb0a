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


def rolled(scenes: Scenes, seed: int) -> Scenes:
    """Each canvas rolled by a random number of pixels, so that nothing lies at special places."""
    rng = np.random.default_rng(seed)
    shifts = rng.integers(scenes.masks.shape[1:], size=(len(scenes.masks), 2)).tolist()
    parts = (
        np.stack([np.roll(one, shift, (0, 1)) for one, shift in zip(part, shifts, strict=True)])
        for part in scenes
    )
    return Scenes(*parts)


def seam(scenes: Scenes, lines: np.ndarray) -> float:
    """The mean gradient across some lines over that elsewhere, between pixels of one class.

    Pixels of two classes differ anyway, and lines may have more or fewer of these by chance.

    Args:
        scenes: the canvases.
        lines: rows and columns before which a line runs.
    """
    grey, totals = scenes.images.mean(axis=-1), np.zeros((2, 2))
    for axis in (1, 2):
        counts = np.diff(scenes.masks, axis=axis) == 0
        before = np.arange(1, grey.shape[axis])
        is_at = np.isin(before, lines).reshape((-1, 1) if axis == 1 else (1, -1))
        gradient = np.abs(np.diff(grey, axis=axis))
        for row, chosen in enumerate((counts & is_at, counts & ~is_at)):
            totals[row] += gradient[chosen].sum(), chosen.sum()
    across, elsewhere = totals[:, 0] / totals[:, 1]
    return float(across / elsewhere)


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
