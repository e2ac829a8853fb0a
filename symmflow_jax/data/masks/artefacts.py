"""Traces of JPEG compression and of smoothing in masks that were saved without loss later.

Lossy compression changes ids around the borders of regions. Those pixels differ from all their
neighbours, as hardly any pixel of a mask does. JPEG changes them in blocks of 8x8 pixels that have
a border in them and leaves the other blocks constant: then more blocks have several ids on a grid
that is shifted by half a block than on JPEG's own grid.
"""

import dataclasses

import numpy as np

_BLOCK = 8
_MIN_LONE = 0.0005  # Share of lone pixels; COCO-Stuff has 0.0003 of them, as JPEG up to 0.14.
_RATIOS = (1.25, 4.0)  # 1 without JPEG; a larger one is of masks that were enlarged eight times.
_MIN_BLOCKS = 60
_RARE = 0.005  # Share of the pixels below which an id is rare in a mask.
_MIN_RARE = 16
_MIN_LONE_AMONG_MANY = 0.005

REMEDY = "Make it again from the original, and save it as PNG without smoothing."


@dataclasses.dataclass(frozen=True)
class Signs:
    """Counts over one mask, or several.

    Attributes:
        pixels: pixels that have four neighbours.
        lone: pixels that differ from all of them.
        aligned: blocks with several ids, on JPEG's grid.
        shifted: the same on a grid that is shifted by half a block, at the same places.
        ids: different ids of the mask; the largest number of several masks.
        rare_ids: those of them with few pixels.
    """

    pixels: int = 0
    lone: int = 0
    aligned: float = 0.0
    shifted: float = 0.0
    ids: int = 0
    rare_ids: int = 0

    def __add__(self, other: "Signs") -> "Signs":
        return Signs(
            self.pixels + other.pixels,
            self.lone + other.lone,
            self.aligned + other.aligned,
            self.shifted + other.shifted,
            max(self.ids, other.ids),
            max(self.rare_ids, other.rare_ids),
        )

    @property
    def share(self) -> float:
        """Share of lone pixels."""
        return self.lone / max(self.pixels, 1)

    @property
    def has_jpeg_blocks(self) -> bool:
        """True if lone pixels are in blocks of JPEG's grid."""
        return (
            self.share >= _MIN_LONE
            and self.shifted >= _MIN_BLOCKS
            and _RATIOS[0] * self.aligned <= self.shifted <= _RATIOS[1] * self.aligned
        )

    @property
    def has_stray_ids(self) -> bool:
        """True if there are many rare ids and many lone pixels: JPEG, or resizing that smooths."""
        common = self.ids - self.rare_ids
        return self.share >= _MIN_LONE_AMONG_MANY and self.rare_ids >= max(_MIN_RARE, 2 * common)


def look(ids: np.ndarray) -> Signs:
    """The signs in a mask, integers `[height, width]`."""
    down, right = ids[1:] != ids[:-1], ids[:, 1:] != ids[:, :-1]
    lone = down[:-1, 1:-1] & down[1:, 1:-1] & right[1:-1, :-1] & right[1:-1, 1:]
    aligned, shifted = _blocks(ids)
    counts = np.bincount(ids.ravel()) if ids.dtype == np.uint8 else _counts(ids)
    counts = counts[counts > 0]
    rare = int(np.sum(counts < _RARE * ids.size))
    return Signs(lone.size, int(lone.sum()), aligned, shifted, len(counts), rare)


def _counts(ids: np.ndarray) -> np.ndarray:
    return np.unique(ids, return_counts=True)[1]


def describe(signs: Signs) -> str:
    """One sentence about a mask with `has_jpeg_blocks` or `has_stray_ids`."""
    cause = "was compressed as JPEG" if signs.has_jpeg_blocks else "was compressed or smoothed"
    return (
        f"This looks like a mask that {cause} and saved anew: {signs.share:.1%} of its pixels "
        f"differ from all neighbours, and {signs.rare_ids} of its {signs.ids} ids are rare."
    )


def _blocks(ids: np.ndarray) -> tuple[float, float]:
    """Numbers of blocks with several ids on JPEG's grid and on the shifted one.

    Each shifted block is compared with the mean of the four blocks that it touches, so that both
    numbers are of the same places.
    """
    aligned = _has_several(ids)
    shifted = _has_several(ids[_BLOCK // 2 :, _BLOCK // 2 :])
    shifted = shifted[: aligned.shape[0] - 1, : aligned.shape[1] - 1]
    if not shifted.size:
        return 0.0, 0.0
    touched = aligned[:-1, :-1] + aligned[1:, :-1] + aligned[:-1, 1:] + aligned[1:, 1:]
    return float(touched.sum() / 4), float(shifted.sum())


def _has_several(ids: np.ndarray) -> np.ndarray:
    """float64 `[rows, columns]` of blocks: 1 if a block has several ids."""
    rows, columns = ids.shape[0] // _BLOCK, ids.shape[1] // _BLOCK
    blocks = ids[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    if not blocks.size:
        return np.zeros((rows, columns))
    return (blocks.max((1, 3)) != blocks.min((1, 3))).astype(np.float64)
