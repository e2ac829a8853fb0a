"""Comparison of several runs: their scores in one table, their examples in one image.

    python -m symmflow_jax.evaluation.compare --runs=runs/shapes,runs/shapes_tied \
        --output=runs/comparison

The program reads the files that training or `--mode=evaluate` wrote to the runs' folders.
"""

import json
import logging
import pathlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from absl import flags

from symmflow_jax.config import command_line
from symmflow_jax.data.decoding.image_files import read_image
from symmflow_jax.evaluation import cost
from symmflow_jax.evaluation.cost import Cost
from symmflow_jax.evaluation.measurement import Measurement
from symmflow_jax.evaluation.report import tables
from symmflow_jax.evaluation.report.place import EXAMPLES, METRICS
from symmflow_jax.runs import markdown
from symmflow_jax.runs.pictures import grids
from symmflow_jax.runtime import files, outputs, paths
from symmflow_jax.runtime.errors import first_line
from symmflow_jax.runtime.storage import downloads, place

_logger = logging.getLogger(__name__)


class EvaluatedRun(NamedTuple):
    """Results of the evaluation of one run.

    Attributes:
        name: name of its folder.
        table: measurements over all classes, without the losses, since losses of different
            encodings cannot be compared.
        examples: grid of examples, uint8 `[height, width, 3]`.
        cost: what the model costs; None if an earlier version has evaluated it.
    """

    name: str
    table: list[Measurement]
    examples: np.ndarray
    cost: Cost | None = None


def compare(
    folders: Sequence[pathlib.Path], output: pathlib.Path, *, overwrite: bool = False
) -> str:
    """Writes `comparison.md` and `comparison.png` to the output folder; returns the text.

    Args:
        folders: folders of the runs.
        output: folder to write to.
        overwrite: whether to replace files that exist.

    Raises:
        ValueError: if there are fewer than two runs, or if one has not been evaluated.
        OutputError: if a file exists or cannot be written.
    """
    if len(folders) < 2:
        raise ValueError(
            "--runs names fewer than two folders; give them as runs/first,runs/second."
        )
    paths = [output / name for name in ("comparison.md", "comparison.png")]
    outputs.check_outputs(paths, overwrite=overwrite)
    runs = [_read(folder) for folder in folders]
    text = "\n\n".join(["# Comparison", *_sections(runs)])
    grid = grids.beside([(run.name, run.examples) for run in runs])
    text_path, picture_path = paths
    files.write_image(picture_path, grid)
    files.write_text(text_path, f"{text}\n\n![examples](comparison.png)\n")
    return text


def _read(folder: pathlib.Path) -> EvaluatedRun:
    for path in (folder / METRICS, folder / EXAMPLES):
        if not path.is_file():
            problem = "is no file" if path.exists() else "does not exist"
            raise ValueError(
                f"{path} {problem}; evaluate the run first, with --mode=evaluate "
                f"--workdir={folder}."
            )
    try:
        rows = json.loads((folder / METRICS).read_text(encoding="utf-8"))
        if not isinstance(rows, list):
            raise TypeError(f"{METRICS} holds no list")
        table = tables.whole(Measurement.from_json(row) for row in rows)
        examples = read_image(downloads.fetched(folder / EXAMPLES))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{folder / METRICS} or {folder / EXAMPLES} is damaged ({type(error).__name__}: "
            f"{first_line(error)}); write them again with --mode=evaluate --workdir={folder}."
        ) from error
    scores = [m for m in table if m.protocol.solver is not None]
    return EvaluatedRun(folder.name, scores, examples, cost.read(folder))


def _sections(runs: Sequence[EvaluatedRun]) -> list[str]:
    tasks = dict.fromkeys(m.protocol.task for run in runs for m in run.table)
    sections = [
        _section(task, {run.name: _of_task(run.table, task) for run in runs}) for task in tasks
    ]
    costs = {run.name: run.cost for run in runs if run.cost is not None}
    return [*sections, cost_section(costs)] if costs else sections


def cost_section(costs: Mapping[str, Cost]) -> str:
    """The section with a row for the cost of each run.

    Args:
        costs: the costs by the name of the run.
    """
    header = ["run", "parameters", "GFLOP of a pass", "steps", "examples", "training time"]
    rows = [
        [
            markdown.escape(name),
            f"{run.num_parameters:,}",
            "" if run.flops_of_pass is None else f"{run.flops_of_pass / 1e9:.4g}",
            f"{run.train_steps:,}",
            f"{run.train_examples:,}",
            "" if run.train_seconds is None else f"{run.train_seconds:,.0f} s",
        ]
        for name, run in costs.items()
    ]
    table = markdown.table(header, rows)
    return (
        f"## Cost\n\n{table}\n\nA pass is of one example; the columns NFE of the reports tell how "
        "many passes a score takes. The time is that of the steps, with compilation and reading, "
        "and without evaluations."
    )


def _of_task(table: Sequence[Measurement], task: str) -> list[Measurement]:
    return [m for m in table if m.protocol.task == task]


def _section(task: str, by_run: Mapping[str, list[Measurement]]) -> str:
    """A table with a row for each metric of each run and a column for each solver; protocols."""
    every = [m for table in by_run.values() for m in table]
    columns = list(dict.fromkeys(m.protocol.row for m in every))
    rows = []
    for metric in dict.fromkeys(tables.column_name(m) for m in every):
        for name, table in by_run.items():
            if not table:  # A model of one task has no scores of the other.
                continue
            cells = {
                m.protocol.row: tables.cell(m) for m in table if tables.column_name(m) == metric
            }
            rows.append(
                [metric, markdown.escape(name), *(cells.get(column, "") for column in columns)]
            )
    lines = markdown.table(["metric", "run", *columns], rows)
    protocols = "\n".join(
        f"- {markdown.escape(name)}: {tables.protocols(table)}"
        for name, table in by_run.items()
        if table
    )
    conventions = sorted({m.protocol.conventions for m in every})
    mixed = (
        f"\n\nThese scores follow several protocols ({', '.join(conventions)}); see "
        "`config.eval.protocol`, and evaluate all runs by one of them."
    )
    mixed = mixed if len(conventions) > 1 else ""
    return f"## {task.capitalize()}\n\n{lines}\n\n{protocols}{mixed}"


def _start() -> None:
    command_line.prepare()
    runs = flags.DEFINE_list("runs", [], "Folders of the runs.")
    output = flags.DEFINE_string("output", "runs/comparison", "Folder to write to.")
    overwrite = flags.DEFINE_bool("overwrite", False, "Replace files that exist.")

    def show() -> None:
        folders = [place.place(paths.expand(run, "--runs"), "--runs") for run in runs.value]
        target = place.place(paths.expand(output.value, "--output"), "--output")
        text = compare(folders, target, overwrite=overwrite.value)
        _logger.info("\n%s", text)

    command_line.run(show)


if __name__ == "__main__":
    _start()
