"""Check of a data set before training: contents, errors and their remedies."""

import logging

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data.mixing.mixture import Part
from symmflow_jax.data.source import DataError
from symmflow_jax.preparation.survey.description import describe
from symmflow_jax.preparation.survey.doubts import doubts
from symmflow_jax.preparation.survey.remedies import remedies
from symmflow_jax.preparation.survey.survey import examine

_logger = logging.getLogger(__name__)


def check_data(experiment: Experiment) -> bool:
    """Logs a survey of both splits; returns True if training and evaluation can use them.

    Lines with "?" are doubts: training would not stop at them.

    Raises:
        DataError: if a split cannot be opened, for instance because a folder is missing.
    """
    usable = True
    experiment = experiment.changed({"data.latents": ""})
    for split, source in (
        ("training", lambda: experiment.training_source),
        ("evaluation", lambda: experiment.evaluation_source),
    ):
        schema = experiment.source_schema
        findings = examine(source(), experiment.kind)
        _logger.info("%s", describe(findings, schema, split))
        for line in doubts(findings):
            _logger.info("? %s", line)
        for line in remedies(findings, experiment):
            _logger.info("%s", line)
        skips = experiment.skips_errors
        usable &= not findings.damaged
        usable &= len(findings.errors) < findings.num_examples if skips else not findings.errors
    for part in experiment.mixture.parts:
        usable &= _can_be_read(part) or experiment.skips_errors
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
