"""`--mode=doctor`: is this machine, or this pod, ready for a run?"""

import logging
import pathlib
from collections.abc import Mapping

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.performance.doctor.checks import CHECKS, Check, Finding, Subject
from symmflow_jax.runtime.cluster import session
from symmflow_jax.runtime.errors import first_line

_logger = logging.getLogger(__name__)


def examine(
    experiment: Experiment, workdir: pathlib.Path, checks: Mapping[str, Check] = CHECKS
) -> list[str]:
    """Logs what each check sees; returns what is wrong, the same in all processes.

    Args:
        experiment: the config.
        workdir: folder of the run; nothing in it changes.
        checks: the checks by name.
    """
    subject = Subject(experiment, workdir)
    problems = []
    for name, check in checks.items():
        finding = _finding(check, subject)
        found = session.exchange("problem", finding.problem)
        for line in finding.lines:
            _logger.info("%s: %s", name, line)
        wrong = _wrong(name, found)
        for line in wrong:
            _logger.info("! %s", line)
        problems += wrong
    return problems


def _finding(check: Check, subject: Subject) -> Finding:
    try:
        return check(subject)
    except Exception as error:
        return Finding((), first_line(error))


def _wrong(name: str, found: list[str]) -> list[str]:
    """The problems of one check; one that all processes have in common is told once."""
    if len(set(found)) == 1:
        return [f"{name}: {found[0]}"] if found[0] else []
    return [f"{name}: process {index}: {text}" for index, text in enumerate(found) if text]
