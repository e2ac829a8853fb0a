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
from symmflow_jax.runtime import files, outputs, paths
from symmflow_jax.runtime.storage import place

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
    text_path, plot_path = _paths(name, workdir)
    files.write_image(plot_path, report.plot)
    files.write_text(text_path, f"{report.text}\n\n![{name}]({name}.png)\n")


def _paths(name: str, workdir: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    return workdir / f"{name}.md", workdir / f"{name}.png"


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


def study_and_write(
    name: str, study: Callable[[], Report], workdir: pathlib.Path, *, overwrite: bool = False
) -> str:
    """Runs a study, writes its report with the time that it took, and returns its text.

    Args:
        name: name of the files.
        study: the study.
        workdir: folder to write to.
        overwrite: whether to replace files that exist.

    Raises:
        OutputError: if a file exists or cannot be written, before the study.
    """
    outputs.check_outputs(_paths(name, workdir), overwrite=overwrite, instead="another --workdir")
    started = time.process_time()
    report = study()
    minutes = (time.process_time() - started) / 60
    report = report._replace(text=f"{report.text}\n\nCPU time: {minutes:.1f} minutes.")
    write(report, name, workdir)
    return report.text


def start(name: str, study: Callable[[], Report]) -> None:
    """Parses the flags, runs a study and writes its report; invalid input ends with one line."""
    command_line.prepare()
    workdir = flags.DEFINE_string("workdir", f"runs/{name}", "Folder of the report.")
    overwrite = flags.DEFINE_bool("overwrite", False, "Replace a report that exists.")

    def run() -> None:
        text = paths.expand(workdir.value, "--workdir")
        folder = place.place(text, "--workdir")
        text = study_and_write(name, study, folder, overwrite=overwrite.value)
        _logger.info("\n%s", text)

    command_line.run(run)
