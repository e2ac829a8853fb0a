"""What looks wrong about pairs that can be read, logged once for each kind."""

import logging

from symmflow_jax.data.masks import artefacts
from symmflow_jax.data.masks.palettes import PaletteComparison
from symmflow_jax.data.sources.segmentation.pair import Pair

_logger = logging.getLogger(__name__)

_NUM_COMPRESSED = 16
"""Masks whose traces of compression are looked for; all of them would take too long."""


class PairNotes:
    """Notes about the pairs that a process reads; picklable, and cheap for each pair.

    It looks for the first EXIF turn that only one file of a pair has and that the sizes do not
    confirm, for the first palette that differs from those before it, and for traces of compression
    in the first masks. `--mode=check_data` looks at all files.

    Args:
        applies_exif: True if pictures are turned by EXIF; otherwise turns are no matter.
    """

    def __init__(self, applies_exif: bool):
        self._looks_for_turns = applies_exif
        self._palettes: PaletteComparison | None = PaletteComparison()
        self._num_masks = 0

    def look(self, pair: Pair) -> None:
        """Looks at a pair and logs what was not logged before."""
        _, mask_path = pair.paths
        if self._looks_for_turns and pair.has_other_turn and not pair.sizes_tell_turn:
            self._looks_for_turns = False
            _say(_describe_turn(pair))
        palettes = self._palettes  # Threads share this object.
        if palettes is not None and pair.palette is not None:
            difference = palettes.find_difference(mask_path, pair.palette, pair.ids)
            if difference:
                self._palettes = None
                _say(
                    f"The palettes of masks differ: {difference}. Masks are read by index; if the "
                    "colours tell the classes, set --config.data.class_colours to the colour of "
                    "each class"
                )
        if self._num_masks < _NUM_COMPRESSED:
            self._num_masks += 1
            signs = artefacts.look(pair.ids)
            if signs.has_jpeg_blocks or signs.has_stray_ids:
                self._num_masks = _NUM_COMPRESSED
                _say(f"{mask_path}: {artefacts.describe(signs)} {artefacts.REMEDY}")


def _describe_turn(pair: Pair) -> str:
    image_path, mask_path = pair.paths
    return (
        f"{image_path} is turned by its EXIF orientation ({pair.image_header.orientation}), its "
        f"mask {mask_path} has {pair.mask_header.orientation}, and their sizes do not tell if the "
        "mask fits. If masks were drawn on raw pixels: --config.data.exif=ignore"
    )


def _say(text: str) -> None:
    _logger.warning("%s (Said once; --mode=check_data looks at all files.)", text)
