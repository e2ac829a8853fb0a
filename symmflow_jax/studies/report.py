"""Report of a study, and the command that runs a study."""

import logging
import pathlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from absl import flags

from symmflow_jax.config import command_line
from symmflow_jax.runs import markdown
from symmflow_jax.runtime import files, paths

_logger = logging.getLogger(__name__)


class Report(NamedTuple):
    """The findings of a study.

    Attributes:
        text: Markdown text, with all settings.
        plot: uint8 `[height, width, 3]`.
    """

    text: str
    plot: np.ndarray


def write(report: Report, name: str, workdir: pathlib.Path) -> None:
    """Writes `<name>.png` and `<name>.md`, which shows the plot, to the folder `workdir`."""
    files.write_image(workdir / f"{name}.png", report.plot)
    text = f"{report.text}\n\n![{name}]({name}.png)\n"
    (workdir / f"{name}.md").write_text(text)


def table_over_seeds(
    label: str, rows: Mapping[Any, Mapping[Any, Sequence[float]]], columns: Sequence[Any]
) -> str:
    """A Markdown table of means ± standard deviations.

    Args:
        label: header of the first column.
        rows: values of all seeds, by row and column.
        columns: the columns in order; a row may lack some of them.
    """
    lines = [
        [name, *(markdown.mean_and_spread(cells[c]) if c in cells else "" for c in columns)]
        for name, cells in rows.items()
    ]
    return markdown.table([label, *columns], lines)


def start(name: str, study: Callable[[], Report]) -> None:
    """Parses the flags, runs a study and writes its report; invalid input ends with one line."""
    command_line.prepare()
    workdir = flags.DEFINE_string("workdir", f"runs/{name}", "Folder of the report.")

    def study_and_write() -> None:
        folder = pathlib.Path(paths.expand(workdir.value, "--workdir"))
        started = time.process_time()
        report = study()
        minutes = (time.process_time() - started) / 60
        report = report._replace(text=f"{report.text}\n\nCPU time: {minutes:.1f} minutes.")
        write(report, name, folder)
        _logger.info("\n%s", report.text)

    command_line.run(study_and_write)
