"""Palettes of mask files: in files that are read by index, an index has one colour."""

import pathlib

import numpy as np
from PIL import Image

from symmflow_jax.data.masks.colours import pack_colours


def palette_of(picture: Image.Image) -> bytes | None:
    """The colours of a palette picture as RGB bytes; None for other pictures."""
    colours = picture.getpalette() if picture.mode in ("P", "PA") else None
    return None if colours is None else bytes(colours)


class PaletteComparison:
    """Comparison of the palettes of several masks; it is picklable.

    Attributes:
        colours: colour 0xRRGGBB of each index that a mask uses, as in the first mask that does.
        more_colours: other colours of used indices.
    """

    def __init__(self) -> None:
        self.colours: dict[int, int] = {}
        self.more_colours: set[int] = set()
        self._files: dict[int, pathlib.Path] = {}
        self._first: bytes | None = None

    def find_difference(self, path: pathlib.Path, palette: bytes, ids: np.ndarray) -> str | None:
        """Compares a mask with those before it; returns what differs, or None.

        Args:
            path: the mask.
            palette: its colours, as of `palette_of`.
            ids: its indices, `[height, width]`.
        """
        used = set(np.flatnonzero(np.bincount(ids.ravel(), minlength=1)).tolist())
        if palette == self._first and self.colours.keys() >= used:
            return None
        self._first = palette if self._first is None else self._first
        table = pack_colours(np.frombuffer(palette, np.uint8).reshape(-1, 3)).tolist()
        difference = None
        for index in sorted(used):
            colour = table[index] if index < len(table) else 0
            known = self.colours.setdefault(index, colour)
            first = self._files.setdefault(index, path)
            if known != colour:
                self.more_colours.add(colour)
                difference = difference or (
                    f"index {index} of the palette is #{colour:06x} in {path}, but #{known:06x} "
                    f"in {first}"
                )
        return difference
