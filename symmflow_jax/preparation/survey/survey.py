"""The findings of a look at every example of a source."""

import collections
import dataclasses
import logging
import pathlib

import numpy as np
from PIL import Image

from symmflow_jax.data.image_files import pack_colours, read_image, read_mask
from symmflow_jax.data.source import DataError, Source
from symmflow_jax.data.sources.segmentation.image_pairs import ImagePairs
from symmflow_jax.data.transforms import image_size

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
        raw_ids: number of examples in which each id occurs, with or without a class.
        colours: number of unusable masks in which each colour 0xRRGGBB occurs.
        errors: one message for each example that cannot be used.
    """

    num_examples: int
    sizes: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    counts: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    raw_ids: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    colours: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    errors: list[str] = dataclasses.field(default_factory=list)


def examine(source: Source, target: str) -> DataSurvey:
    """Reads every example of a source once.

    Args:
        source: the examples.
        target: key of the semantics in an example, "mask" or "label".
    """
    raw_ids = np.asarray(source.schemas[target].raw_ids)
    findings = DataSurvey(len(source))
    for index in range(len(source)):
        try:
            element = source[index]
        except DataError as error:
            findings.errors.append(str(error))
            if isinstance(source, ImagePairs):
                _look_at_ids(source.pairs[index][1], findings)
            continue
        size = image_size(element["image"])
        if len(size) == 2:
            findings.sizes[size] += 1
        classes, numbers = np.unique(element[target], return_counts=True)
        findings.counts.update(dict(zip(classes.tolist(), numbers.tolist(), strict=True)))
        findings.raw_ids.update(raw_ids[classes].tolist())
        if (index + 1) % 1000 == 0:
            _logger.info("%d of %d examples", index + 1, len(source))
    return findings


def _look_at_ids(path: pathlib.Path, findings: DataSurvey) -> None:
    """Adds the raw ids or colours of the mask of an unusable example to the findings."""
    try:
        if _has_colours(path):
            colours = np.unique(pack_colours(read_image(path)))
            findings.colours.update(colours[: MOST_COLOURS + 1].tolist())
        else:
            findings.raw_ids.update(np.unique(read_mask(path)).tolist())
    except DataError:
        return  # The example's own error message is reported.


def _has_colours(path: pathlib.Path) -> bool:
    try:
        with Image.open(path) as image:
            return image.mode in ("RGB", "RGBA")
    except (OSError, SyntaxError, ValueError):
        return False
