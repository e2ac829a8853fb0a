"""Check of a data set before training: contents, errors and their remedies, and pictures."""

import dataclasses
import logging
import pathlib
from typing import Any

import numpy as np

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data.class_counts import ClassCounts
from symmflow_jax.data.mixing.mixture import Part
from symmflow_jax.data.source import DataError, Source
from symmflow_jax.preparation.survey import class_doubts, duplicates, proposals
from symmflow_jax.preparation.survey.contact_sheet import contact_sheet
from symmflow_jax.preparation.survey.description import describe
from symmflow_jax.preparation.survey.doubts import doubts
from symmflow_jax.preparation.survey.remedies import remedies
from symmflow_jax.preparation.survey.survey import DataSurvey, examine
from symmflow_jax.runs.pictures.legend import LEGEND, legend
from symmflow_jax.runtime import files, outputs
from symmflow_jax.semantics.kinds import SemanticsKind
from symmflow_jax.semantics.labels import LabelSchema

_logger = logging.getLogger(__name__)

SURVEY = "survey.json"
"""Name of the file with the findings for programs."""

_SPLITS = ("training", "evaluation")

_UNITS = {SemanticsKind.MASK: "pixels", SemanticsKind.LABEL: "examples"}


def files_of(output: pathlib.Path) -> list[pathlib.Path]:
    """All files that a check may write to a folder."""
    return [output / name for name in (SURVEY, LEGEND, *(f"{name}.png" for name in _SPLITS))]


@dataclasses.dataclass(frozen=True)
class _Split:
    """One split: its name in messages and in names of files, its examples and what they hold."""

    name: str
    source: Source
    findings: DataSurvey


def check_data(experiment: Experiment, output: pathlib.Path | None = None) -> bool:
    """Logs a survey of both splits; returns True if training and evaluation can use them.

    Lines with "?" are doubts: training would not stop at them. Lines with "=" propose values of
    the config.

    Args:
        experiment: the run.
        output: folder to write `survey.json`, the legend `classes.png` and a contact sheet of each
            split to; None writes nothing. Files of an earlier check are replaced.

    Raises:
        DataError: if a split cannot be opened, for instance because a folder is missing.
        OutputError: if a file cannot be written.
    """
    if output is not None:
        outputs.check_writable(output)
    experiment = experiment.changed({"data.latents": ""})
    splits: list[_Split] = []
    told, usable = [], True
    for name in _SPLITS:
        is_training = name == _SPLITS[0]
        source = experiment.training_source if is_training else experiment.evaluation_source
        split = _Split(name, source, examine(source, experiment.kind))
        told += _tell_split(split, experiment)
        splits.append(split)
        usable &= _is_usable(split.findings, skips=experiment.skips_errors)
    training, evaluation = splits
    told += _tell_both(training, evaluation, experiment)
    for part in experiment.mixture.parts:
        usable &= _can_be_read(part) or experiment.skips_errors
    if output is not None:
        _write(output, splits, experiment, told)
    return usable


def _can_be_read(part: Part) -> bool:
    """Logs what a further part of the training data has; returns True if all can be read."""
    count, unreadable = len(part.source), 0
    lacking = [
        f"{round((1 - share) * count)} without {what}"
        for share, what in zip(part.complete, ("an image", "a mask or label"), strict=True)
        if share < 1
    ]
    _logger.info(
        "Beside the training split: %d examples%s, a share of %g of the training examples.",
        count,
        f" ({', '.join(lacking)})" if lacking else "",
        part.share,
    )
    for index in range(count):
        try:
            part.source[index]
        except DataError as error:
            unreadable += 1
            _logger.info("! %s", error)
    return not unreadable


def _is_usable(findings: DataSurvey, *, skips: bool) -> bool:
    if findings.damaged:
        return False
    return len(findings.errors) < findings.num_examples if skips else not findings.errors


def _tell_split(split: _Split, experiment: Experiment) -> list[str]:
    """Logs what one split holds, its doubts and remedies; returns the lines of these."""
    text = describe(split.findings, experiment.source_schema, split.name, _UNITS[experiment.kind])
    _logger.info("%s", text)
    lines = [f"? {line}" for line in doubts(split.findings)]
    lines += remedies(split.findings, experiment)
    for line in lines:
        _logger.info("%s", line)
    return lines


def _tell_both(training: _Split, evaluation: _Split, experiment: Experiment) -> list[str]:
    """Logs the doubts about both splits together, and what they propose; returns the lines."""
    found, measured = training.findings, evaluation.findings
    lines = [f"? {line}" for line in class_doubts.doubts(found, measured, experiment)]
    lines += [f"? {line}" for line in duplicates.doubts(found.seen, measured.seen)]
    if found.sizes and experiment.data.image_size:
        height, width = experiment.data.image_size
        multiple = experiment.side_multiple
        lines.append(f"= {proposals.size_line(found.sizes, (height, width), multiple)}")
    shares = _counts(found, experiment.source_schema).shares(experiment.source_schema.ignored)
    if np.count_nonzero(shares) > 1:
        lines += [f"= {line}" for line in proposals.weight_lines(shares, experiment.source_schema)]
    for line in lines:
        _logger.info("%s", line)
    return lines


def _counts(findings: DataSurvey, schema: LabelSchema) -> ClassCounts:
    classes = range(schema.num_classes)
    return ClassCounts(
        tuple(findings.counts[c] for c in classes),
        tuple(findings.pictures[c] for c in classes),
        findings.num_examples - len(findings.errors),
    )


def _write(
    output: pathlib.Path, splits: list[_Split], experiment: Experiment, told: list[str]
) -> None:
    """Writes the files of a check."""
    schema, written = experiment.source_schema, []
    if experiment.kind is SemanticsKind.MASK:
        files.write_image(output / LEGEND, legend(schema))
        written.append(LEGEND)
    for split in splits:
        sheet = contact_sheet(
            split.source, split.findings, experiment.kind, schema, experiment.photos
        )
        if sheet is not None:
            files.write_image(output / f"{split.name}.png", sheet)
            written.append(f"{split.name}.png")
    values = {split.name: _as_values(split.findings, schema) for split in splits}
    shared = duplicates.between(*(split.findings.seen for split in splits))
    both = {"in_both_splits": [[seen.name, known.name] for seen, known in shared], "told": told}
    files.write_json(output / SURVEY, values | both)
    _logger.info("Wrote %s to %s.", ", ".join([*written, SURVEY]), output)


def _as_values(findings: DataSurvey, schema: LabelSchema) -> dict[str, Any]:
    """The findings about one split as plain values."""
    counts = _counts(findings, schema)
    shares = counts.shares(schema.ignored)
    weights = {
        name: np.asarray(weigh(shares)).tolist() for name, weigh in proposals.WEIGHTS.items()
    }
    return {
        "num_examples": findings.num_examples,
        "errors": findings.errors + findings.damaged,
        "sizes": [[h, w, count] for (h, w), count in findings.sizes.most_common()],
        "classes": list(schema.names),
        "ids": list(schema.raw_ids),
        "class_weights": weights,
    } | counts.to_json()
