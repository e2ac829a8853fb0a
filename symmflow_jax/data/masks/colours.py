"""Masks in the colours of their classes."""

import pathlib

import numpy as np

from symmflow_jax.data.decoding.decoding import DEFAULT, Decoded, Decoding, decode
from symmflow_jax.data.decoding.image_files import to_rgb
from symmflow_jax.data.masks.ids import refuse_lossy
from symmflow_jax.data.source import DataError
from symmflow_jax.semantics.palettes import Palette

ClassColours = tuple[tuple[int, int, int] | Palette, ...]
"""The colour of each class, or several colours of one."""

_MOST_COLOURS = 12
"""Colours that a message lists."""


def read_coloured_mask(
    path: str | pathlib.Path, palette: ClassColours, decoding: Decoding = DEFAULT
) -> np.ndarray:
    """Reads the ids of a mask in the colours of its classes, int32 `[height, width]`.

    Args:
        path: the file.
        palette: colour or colours of each id, starting with id 0.
        decoding: limit of the size, and whether EXIF orientations count.

    Raises:
        DataError: if the file cannot be read (see `open_image`), was compressed with loss, or has
            a colour that is not in the palette.
    """
    return ids_of_colours(decode(path, decoding), path, palette)


def ids_of_colours(
    decoded: Decoded,
    path: str | pathlib.Path,
    palette: ClassColours,
    *,
    classes_are_fixed: bool = False,
) -> np.ndarray:
    """The ids of a decoded mask; see `read_coloured_mask`.

    Args:
        decoded: the mask.
        path: its file, for errors.
        palette: colours of each id, starting with id 0.
        classes_are_fixed: True if no key of the config changes the colours, as of a trained model.
    """
    refuse_lossy(decoded.header, path)
    pixels = pack_colours(np.asarray(to_rgb(decoded, path)))
    flat = [(colour, number) for number, one in enumerate(palette) for colour in _group(one)]
    colours = pack_colours(np.asarray([colour for colour, _ in flat], np.uint8))
    order = np.argsort(colours)
    places = np.searchsorted(colours, pixels, sorter=order).clip(max=len(colours) - 1)
    found = order[places]
    unknown = np.unique(pixels[colours[found] != pixels])
    if len(unknown):
        start = f"{path} has the colour #{unknown[0]:06x} ({len(unknown)} in all) that is none of"
        if classes_are_fixed:
            raise DataError(
                f"{start} the model's classes{_transparency(decoded)}, whose colours are "
                f"{_listed(palette)}. Give a mask in these colours, without smoothing, as PNG."
            )
        raise DataError(
            f"{start} config.data.class_colours or of a labelmap.txt{_transparency(decoded)}; add "
            "it, or save the mask without smoothing, as PNG."
        )
    return np.asarray([number for _, number in flat], np.int32)[found]


def _group(colours: tuple) -> Palette:
    """Several colours of a class, or the only one."""
    return colours if isinstance(colours[0], tuple) else (colours,)


def _listed(palette: ClassColours) -> str:
    colours = [colour for one in palette for colour in _group(one)]
    shown = ", ".join("#{:02x}{:02x}{:02x}".format(*colour) for colour in colours[:_MOST_COLOURS])
    more = len(colours) - _MOST_COLOURS
    return f"{shown} and {more} more" if more > 0 else shown


def _transparency(decoded: Decoded) -> str:
    has = decoded.picture.has_transparency_data
    return " (its transparent pixels are laid over black)" if has else ""


def pack_colours(pixels: np.ndarray) -> np.ndarray:
    """Packs colours, uint8 `[..., 3]`, into int32 `[...]` of the form 0xRRGGBB."""
    channels = pixels.astype(np.int32)
    return (channels[..., 0] << 16) | (channels[..., 1] << 8) | channels[..., 2]
