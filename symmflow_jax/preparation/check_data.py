"""Check of a data set before training: contents, errors and their remedies."""

import collections
import dataclasses
import logging
import pathlib

import numpy as np
from PIL import Image

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data.image_files import pack_colours, read_image, read_mask
from symmflow_jax.data.source import DataError, Source
from symmflow_jax.data.sources.segmentation.image_pairs import ImagePairs
from symmflow_jax.data.transforms import image_size
from symmflow_jax.semantics.labels import LabelSchema

_logger = logging.getLogger(__name__)

_NUM_SHOWN = 10
_MOST_COLOURS = 64  # An image with more is not a coloured mask.


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


def check_data(experiment: Experiment) -> bool:
    """Logs a survey of both splits; returns True if training and evaluation can use them.

    Raises:
        DataError: if a split cannot be opened, for instance because a folder is missing.
    """
    usable = True
    experiment = experiment.changed({"data.latents": ""})
    for split, source in (
        ("training", lambda: experiment.training_source),
        ("evaluation", lambda: experiment.evaluation_source),
    ):
        schema = experiment.schema
        findings = examine(source(), experiment.kind)
        _logger.info("%s", describe(findings, schema, split))
        for line in remedies(findings, experiment):
            _logger.info("%s", line)
        skips = experiment.skips_errors and split == "training"
        usable &= len(findings.errors) < findings.num_examples if skips else not findings.errors
    return usable


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
            findings.colours.update(colours[: _MOST_COLOURS + 1].tolist())
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


def describe(findings: DataSurvey, schema: LabelSchema, split: str) -> str:
    """Formats the findings as text: examples, sizes, classes by name, and errors."""
    readable = findings.num_examples - len(findings.errors)
    lines = [f"{split}: {findings.num_examples} examples, {readable} of them readable."]
    sizes = [
        f"{width}x{height} ({count})"
        for (height, width), count in findings.sizes.most_common(_NUM_SHOWN)
    ]
    more = len(findings.sizes) - len(sizes)
    rest = f" and {more} more" if more else ""
    if sizes:
        lines.append(f"  sizes (width x height): {', '.join(sizes)}{rest}")
    total = sum(findings.counts.values())
    for number, name in enumerate(schema.names):
        share = findings.counts[number] / total if total else 0.0
        remark = " (ignored)" if number in schema.ignored else ""
        lines.append(f"  {schema.raw_ids[number]:>5}  {name:<24} {share:8.3%}{remark}")
    for message in findings.errors[:_NUM_SHOWN]:
        lines.append(f"  ! {message}")
    if len(findings.errors) > _NUM_SHOWN:
        lines.append(f"  ! ... and {len(findings.errors) - _NUM_SHOWN} more")
    return "\n".join(lines)


def remedies(findings: DataSurvey, experiment: Experiment) -> list[str]:
    """Advice, with config flags, for the usual mistakes in a folder of the user's own masks."""
    if not experiment.has_own_classes:
        return []
    data, schema = experiment.data, experiment.schema
    known = set(schema.raw_ids)
    found = set(findings.raw_ids)
    unknown = sorted(found - known)
    num_names = len(data.class_names)
    if findings.colours and not data.class_colours:
        return [_colour_remedy(findings)]
    if not unknown:
        return []
    if unknown == [255] and found <= {0, 255} and num_names == 2:
        return ["The masks hold 0 and 255 for two classes: --config.data.class_ids=0,255"]
    if 0 not in found and unknown[0] == num_names and len(unknown) == 1:
        ids = ",".join(str(number) for number in range(1, num_names + 1))
        return [f"The ids are shifted by one: --config.data.class_ids={ids}"]
    if len(unknown) == 1 and data.ignored_id is None:
        return [
            f"Only id {unknown[0]} has no class; if it means void: "
            f"--config.data.ignored_id={unknown[0]}"
        ]
    return [f"Ids without a class, with the masks that have them: {_counts(findings, unknown)}"]


def _colour_remedy(findings: DataSurvey) -> str:
    if len(findings.colours) > _MOST_COLOURS:
        return (
            f"The masks are coloured images with more than {_MOST_COLOURS} colours: photos, or "
            "smoothed. Save them anew without smoothing, as PNG."
        )
    colours = ",".join(f"'#{colour:06x}'" for colour in sorted(findings.colours))
    return (
        "The masks are coloured images. Name the colour of each class, in the order of "
        f'class_names; these occur: --config.data.class_colours="({colours})"'
    )


def _counts(findings: DataSurvey, ids: list[int]) -> str:
    return ", ".join(f"{raw_id} ({findings.raw_ids[raw_id]})" for raw_id in ids[:_NUM_SHOWN])
