"""The findings of a look at every example of a source."""

import collections
import contextlib
import dataclasses
import logging
import pathlib
import typing
from typing import Any

import numpy as np
from PIL import Image

from symmflow_jax.data.class_counts import count_labels
from symmflow_jax.data.decoding.decoding import Decoded
from symmflow_jax.data.decoding.image_files import to_rgb
from symmflow_jax.data.masks.colours import pack_colours
from symmflow_jax.data.masks.ids import ids_of
from symmflow_jax.data.masks.palettes import palette_of
from symmflow_jax.data.packed.packed import Packed
from symmflow_jax.data.source import DataError, Source
from symmflow_jax.data.sources.segmentation.image_pairs import ImagePairs
from symmflow_jax.data.sources.segmentation.pair import as_pairs
from symmflow_jax.data.transforms import image_size
from symmflow_jax.preparation.survey.duplicates import Seen
from symmflow_jax.preparation.survey.pairs import PairFindings

_logger = logging.getLogger(__name__)

MOST_COLOURS = 64
"""An image with more colours is not a coloured mask."""


@dataclasses.dataclass
class DataSurvey:
    """Statistics of the examples of one split.

    Attributes:
        num_examples: number of examples.
        sizes: number of images of each `(height, width)`.
        counts: number of pixels (masks) or examples (labels) of each class.
        pictures: number of examples in which each class occurs.
        shown_best: the example with the most pixels of each class.
        seen: digests of the examples with images that were read, in their order.
        raw_ids: number of examples in which each id occurs, with or without a class.
        colours: number of unusable masks in which each colour 0xRRGGBB occurs.
        most_colours: largest number of them in one mask, or `MOST_COLOURS` + 1.
        errors: one message for each example that cannot be used.
        broken: the numbers of these examples.
        damaged: one message for each file of several examples that is not as it was written.
        pairs: findings about the files, if the examples are pairs of image files.
        applies_exif: True if images and masks were turned by their EXIF orientations.
        masks: folder of the masks, if there are mask files.
        lowest, highest: the extreme values of each channel as shares of their range, if images are
            signals (`data.photos`); else None.
    """

    num_examples: int
    sizes: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    counts: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    pictures: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    shown_best: dict[int, int] = dataclasses.field(default_factory=dict)
    seen: list[Seen] = dataclasses.field(default_factory=list)
    raw_ids: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    colours: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    most_colours: int = 0
    errors: list[str] = dataclasses.field(default_factory=list)
    broken: list[int] = dataclasses.field(default_factory=list)
    damaged: list[str] = dataclasses.field(default_factory=list)
    pairs: PairFindings = dataclasses.field(default_factory=PairFindings)
    applies_exif: bool = True
    masks: pathlib.Path | None = None
    lowest: np.ndarray | None = None
    highest: np.ndarray | None = None
    _most: collections.Counter = dataclasses.field(default_factory=collections.Counter)

    def add(self, index: int, name: str, image: Any, target: np.ndarray, num_classes: int) -> None:
        """Adds what an example holds that can be read.

        Args:
            index: its number.
            name: its file, or its number in words.
            image: its image or point.
            target: its classes, integers `[height, width]` or `[]`.
            num_classes: number of classes.
        """
        size = image_size(image)
        if len(size) == 2:
            self.sizes[size] += 1
            self.seen.append(Seen.of_arrays(name, np.asarray(image), target))
            self.add_values(image)
        counts = count_labels(np.asarray(target), num_classes)
        for label in np.flatnonzero(counts).tolist():
            pixels = int(counts[label])
            self.counts[label] += pixels
            self.pictures[label] += 1
            if pixels > self._most[label]:
                self._most[label], self.shown_best[label] = pixels, index

    def add_values(self, image: Any) -> None:
        """Adds the values of an image that is a signal, float32 `[height, width, channels]`."""
        if not (isinstance(image, np.ndarray) and image.dtype == np.float32 and image.ndim == 3):
            return
        low, high = ((edge(image, axis=(0, 1)) + 1) / 2 for edge in (np.min, np.max))
        self.lowest = low if self.lowest is None else np.minimum(low, self.lowest)
        self.highest = high if self.highest is None else np.maximum(high, self.highest)


def examine(source: Source, target: str) -> DataSurvey:
    """Reads every example of a source once.

    Args:
        source: the examples.
        target: key of the semantics in an example, "mask" or "label".
    """
    schema = source.schemas[target]
    raw_ids = np.asarray(schema.raw_ids)
    findings = DataSurvey(len(source))
    pairs = as_pairs(source)
    if pairs is not None:
        findings.applies_exif = pairs.decoding.applies_exif
    if isinstance(source, ImagePairs):
        findings.masks = source.pairs[0][1].parent
    undrawn = typing.cast(_HasMasks, source) if hasattr(source, "raw_mask") else None
    if isinstance(source, Packed):
        findings.damaged = source.damaged()
    for index in range(len(source)):
        try:
            element, name = _read(source, index, findings)
        except DataError as error:
            findings.errors.append(str(error))
            findings.broken.append(index)
            if undrawn is not None:
                _look_at_mask(undrawn, index, findings)
            continue
        findings.add(index, name, element["image"], element[target], schema.num_classes)
        classes = np.unique(element[target])
        findings.raw_ids.update(raw_ids[classes[classes >= 0]].tolist())
        if (index + 1) % 1000 == 0:
            _logger.info("%d of %d examples", index + 1, len(source))
    return findings


def _read(source: Source, index: int, findings: DataSurvey) -> tuple[dict[str, Any], str]:
    """An element of a source, and its name; adds what the files of a pair say to the findings."""
    pairs = as_pairs(source)
    if pairs is None:
        return source[index], f"example {index}"
    pair = pairs.read(index)
    findings.pairs.add(pair)
    return {"image": pair.image, "mask": pair.mask}, str(pair.paths[0])


class _HasMasks(typing.Protocol):
    """A source whose masks are files."""

    def raw_mask(self, index: int) -> tuple[pathlib.Path, Decoded]:
        """The file of a mask, or its name, and what it holds; raises DataError."""


def _look_at_mask(source: _HasMasks, index: int, findings: DataSurvey) -> None:
    """Adds what the mask of an unusable example holds to the findings."""
    with contextlib.suppress(DataError):  # The example's own error message is reported.
        path, mask = source.raw_mask(index)
        if mask.header.is_lossy:
            return
        if mask.header.mode in ("RGB", "RGBA") and not _is_grey(mask.picture):
            colours = np.unique(pack_colours(np.asarray(to_rgb(mask, path))))
            findings.colours.update(colours[: MOST_COLOURS + 1].tolist())
            shown = min(len(colours), MOST_COLOURS + 1)
            findings.most_colours = max(findings.most_colours, shown)
            return
        ids = ids_of(mask, path)
        findings.raw_ids.update(np.unique(ids).tolist())
        findings.pairs.add_mask(path, ids, palette_of(mask.picture))


def _is_grey(picture: Image.Image) -> bool:
    """True if all channels of each pixel are equal."""
    red, green, blue = (np.asarray(channel) for channel in picture.split()[:3])
    return np.array_equal(red, green) and np.array_equal(red, blue)
