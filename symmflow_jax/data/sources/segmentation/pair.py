"""An image and its mask, as their files are read."""

import dataclasses
import pathlib
import typing

import numpy as np
from PIL import Image

from symmflow_jax.data.decoding.decoding import Decoding
from symmflow_jax.data.decoding.header import Header
from symmflow_jax.data.source import Source


@dataclasses.dataclass(frozen=True)
class Pair:
    """An image and its mask, and what their files say.

    Attributes:
        image: the RGB image, or a signal; see `Photo`.
        mask: the classes, integers `[height, width]`.
        ids: the numbers in the mask's file; classes if the file has the colours of classes.
        image_header: what the file of the image says.
        mask_header: what the file of the mask says.
        palette: colours of the mask's palette, if it is read by index and has one.
        paths: the files of the image and its mask, or names of them for messages.
    """

    image: Image.Image | np.ndarray
    mask: np.ndarray
    ids: np.ndarray
    image_header: Header
    mask_header: Header
    palette: bytes | None
    paths: tuple[pathlib.Path, pathlib.Path]

    @property
    def has_other_turn(self) -> bool:
        """True if one of the files is turned by EXIF and the other is not, or otherwise."""
        return self.image_header.orientation != self.mask_header.orientation

    @property
    def sizes_tell_turn(self) -> bool:
        """True if the sizes would differ if EXIF were handled the other way."""
        return any(
            self.image_header.size(applies) != self.mask_header.size(applies)
            for applies in (True, False)
        )


class PairSource(Source, typing.Protocol):
    """A source whose examples are pairs of image files; `has_pairs` is True.

    Attributes:
        decoding: how its files are decoded.
    """

    decoding: Decoding

    def read(self, index: int) -> Pair:
        """A pair with what its files say; raises DataError as an access does."""


def as_pairs(source: Source) -> PairSource | None:
    """The source, if its examples are pairs of image files; else None."""
    return typing.cast(PairSource, source) if getattr(source, "has_pairs", False) else None
