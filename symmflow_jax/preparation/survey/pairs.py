"""What the files of image pairs hold that no error shows: EXIF turns, palettes, lossy masks."""

import dataclasses
import pathlib

import numpy as np

from symmflow_jax.data.masks import artefacts
from symmflow_jax.data.masks.artefacts import Signs
from symmflow_jax.data.masks.palettes import PaletteComparison
from symmflow_jax.data.sources.segmentation.pair import Pair


@dataclasses.dataclass
class PairFindings:
    """Findings about the files of pairs.

    Attributes:
        num_masks: number of masks that were looked at.
        turned: images that were turned by EXIF otherwise than their masks, where sizes say nothing.
        confirmed: number of such images whose size confirms the turn.
        palettes: comparison of the palettes.
        differences: what differs in the palette of each mask that does not fit those before it.
        lossy: masks with signs of compression, and these.
        signs: the sum of the signs of all masks.
    """

    num_masks: int = 0
    turned: list[pathlib.Path] = dataclasses.field(default_factory=list)
    confirmed: int = 0
    palettes: PaletteComparison = dataclasses.field(default_factory=PaletteComparison)
    differences: list[str] = dataclasses.field(default_factory=list)
    lossy: list[tuple[pathlib.Path, Signs]] = dataclasses.field(default_factory=list)
    signs: Signs = Signs()

    def add(self, pair: Pair) -> None:
        """Adds a pair that can be used."""
        image_path, mask_path = pair.paths
        if pair.has_other_turn:
            if pair.sizes_tell_turn:
                self.confirmed += 1
            else:
                self.turned.append(image_path)
        self.add_mask(mask_path, pair.ids, pair.palette)

    def add_mask(self, path: pathlib.Path, ids: np.ndarray, palette: bytes | None) -> None:
        """Adds the ids of a mask, and its palette if it has one."""
        self.num_masks += 1
        if palette is not None:
            difference = self.palettes.find_difference(path, palette, ids)
            if difference:
                self.differences.append(difference)
        signs = artefacts.look(ids)
        self.signs += signs
        if signs.has_jpeg_blocks or signs.has_stray_ids:
            self.lossy.append((path, signs))
