"""Palettes: the colours that stand for classes, as tuples of 8-bit RGB triples."""

import itertools
import re
from collections.abc import Sequence

import numpy as np

Palette = tuple[tuple[int, int, int], ...]

CELEBAMASK_HQ: Palette = (
    (0, 0, 0), (204, 0, 0), (76, 153, 0), (204, 204, 0), (51, 51, 255), (204, 0, 204),
    (0, 255, 255), (255, 204, 204), (102, 51, 0), (255, 0, 0), (102, 204, 0), (255, 255, 0),
    (0, 0, 153), (0, 0, 204), (255, 51, 153), (0, 204, 204), (0, 51, 0), (255, 153, 51),
    (0, 204, 0),
)  # fmt: skip
"""Colours of CelebAMask-HQ, ids 0 to 18, as its authors draw them."""


def lattice(levels: int, spacing: int) -> Palette:
    """All colours whose channels are multiples of `spacing`, blue varying fastest.

    Args:
        levels: levels of each channel: 0, spacing, ..., (levels - 1) * spacing.
        spacing: distance of neighbouring levels; the last one must fit 8 bits.
    """
    values = tuple(spacing * level for level in range(levels))
    return tuple((red, green, blue) for red, green, blue in itertools.product(values, repeat=3))


def coco_stuff(raw_ids: Sequence[int]) -> Palette:
    """The paper's palette of COCO-Stuff, in which published weights read and draw.

    A class has the colour of its id in the files, on a lattice of 6 levels. One more colour, the
    last of the lattice, follows for unlabeled pixels.

    Args:
        raw_ids: id of each class in the files, in [0, 215).

    Raises:
        ValueError: if an id is out of range.
    """
    colours = lattice(levels=6, spacing=50)
    if not all(0 <= raw_id < len(colours) - 1 for raw_id in raw_ids):
        raise ValueError(f"COCO-Stuff has colours for ids below {len(colours) - 1}: {raw_ids}.")
    return (*(colours[raw_id] for raw_id in raw_ids), colours[-1])


MOST_LABEL_COLOURS = 64
"""Largest number of classes for which `label_colours` has colours."""


def label_colours(num_classes: int) -> Palette:
    """Colours that stand for labels, over a lattice of 4 levels 75 apart.

    Class i of n has colour `floor(63 i / (n - 1))` of the lattice (MedSymmFlow, arXiv 2507.19098,
    as its code computes it).

    Args:
        num_classes: n, at least 1.

    Raises:
        ValueError: if there are more classes than the 64 colours of the lattice.
    """
    colours = lattice(levels=4, spacing=75)
    if num_classes > len(colours):
        raise ValueError(
            f"{num_classes} classes do not fit the {len(colours)} colours of labels; "
            "choose config.semantics.encoding='plane'."
        )
    last = max(1, num_classes - 1)
    return tuple(colours[(len(colours) - 1) * index // last] for index in range(num_classes))


def earlier_label_colours(num_classes: int) -> Palette:
    """The colours of labels in runs made before schemas held them: rounded, not cut off."""
    colours = lattice(levels=4, spacing=75)
    indices = np.linspace(0, len(colours) - 1, num_classes).round().astype(int)
    return tuple(colours[index] for index in indices)


def distinct(num_classes: int) -> Palette:
    """Colours for any classes, far apart on lattices of 2 to 7 levels.

    On each lattice, colours are chosen one by one from black on, each the farthest from all colours
    before it. The result is the lattice with the largest distance of its two nearest colours.

    Raises:
        ValueError: if there are more classes than the 343 colours of the finest lattice.
    """
    candidates = [_farthest_first(levels, num_classes) for levels in range(2, 8)]
    palettes = [candidate for candidate in candidates if candidate is not None]
    if not palettes:
        raise ValueError(f"{num_classes} classes are too many for one palette (at most 343).")
    return max(palettes, key=smallest_distance)


def from_hex(colour: str) -> tuple[int, int, int]:
    """The RGB triple of a colour such as "#ff0080".

    Raises:
        ValueError: if the colour has another form.
    """
    if not re.fullmatch("#[0-9a-fA-F]{6}", colour):
        raise ValueError(f"The colour {colour!r} is not written as in '#ff0080'.")
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def smallest_distance(palette: Palette) -> float:
    """The Euclidean distance, in 8-bit levels, of the two colours nearest to each other."""
    colours = np.asarray(palette, np.float64)
    distances = np.linalg.norm(colours[:, None] - colours[None], axis=-1)
    return float(np.min(distances + np.diag(np.full(len(colours), np.inf))))


def _farthest_first(levels: int, num_classes: int) -> Palette | None:
    """The first `num_classes` colours of a farthest-point order, or None if there are too few."""
    steps = np.linspace(0, 255, levels).round().astype(int)
    colours = np.array(list(itertools.product(steps, repeat=3)))
    if num_classes > len(colours):
        return None
    chosen = [0]
    distances = np.linalg.norm(colours - colours[0], axis=-1)
    while len(chosen) < num_classes:
        chosen.append(int(np.argmax(distances)))
        distances = np.minimum(distances, np.linalg.norm(colours - colours[chosen[-1]], axis=-1))
    return tuple(tuple(int(v) for v in colours[index]) for index in chosen)  # type: ignore[misc]
