"""Check of a data set before training: contents, errors and their remedies."""

import logging

from symmflow_jax.config.build.experiment import Experiment
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
        schema = experiment.schema
        findings = examine(source(), experiment.kind)
        _logger.info("%s", describe(findings, schema, split))
        for line in doubts(findings):
            _logger.info("? %s", line)
        for line in remedies(findings, experiment):
            _logger.info("%s", line)
        skips = experiment.skips_errors
        usable &= not findings.damaged
        usable &= len(findings.errors) < findings.num_examples if skips else not findings.errors
    return usable
