"""The report of a run: `report.md` for readers and `metrics.json` for programs."""

import logging
import pathlib

import numpy as np

from symmflow_jax.evaluation.cost import COST, cost_of
from symmflow_jax.evaluation.evaluator import EvaluatedWeights, Evaluator
from symmflow_jax.evaluation.findings import Confusion, Findings
from symmflow_jax.evaluation.measurement import Measurement
from symmflow_jax.evaluation.report import plots, summary, tables
from symmflow_jax.evaluation.report.place import CLASSES, EXAMPLES, LOSS, METRICS, REPORT
from symmflow_jax.evaluation.scores import generation
from symmflow_jax.evaluation.sweep import measure
from symmflow_jax.runs import folder
from symmflow_jax.runs.bucket import staging
from symmflow_jax.runs.pictures import grids
from symmflow_jax.runs.pictures.legend import legend
from symmflow_jax.runs.pictures.plots import curves
from symmflow_jax.runtime import files, processes
from symmflow_jax.semantics.kinds import SemanticsKind
from symmflow_jax.semantics.labels import LabelSchema

_logger = logging.getLogger(__name__)

_NUM_IMAGES, _NUM_POINTS = 8, 1000
_CLASSIFICATION = SemanticsKind.LABEL.task


def report_evaluation(
    evaluator: Evaluator,
    evaluated: EvaluatedWeights,
    workdir: pathlib.Path,
    output: pathlib.Path | None = None,
) -> list[Measurement]:
    """Evaluates weights with all metrics; writes report, metrics, plots and grid of examples.

    Args:
        evaluator: the method and the examples.
        evaluated: the weights.
        workdir: folder of their run.
        output: folder to write to; that of the run by default.

    Raises:
        OutputError: if the file system refuses.
    """
    output = workdir if output is None else output
    # The messages of skipped examples go there before the report.
    output.mkdir(parents=True, exist_ok=True)
    findings = measure(evaluator, evaluated)
    staging.sync(output)
    write_grid(evaluator, evaluated, output / EXAMPLES)
    if processes.is_primary():
        title = f"{workdir.name}, step {evaluated.train_step}"
        has_masks = evaluator.experiment.kind is SemanticsKind.MASK
        batch_size = evaluator.experiment.train.batch_size
        cost = cost_of(evaluator.method, evaluated, batch_size)
        files.write_json(output / COST, cost.to_json())
        write_report(output, findings, evaluator.schema, title, workdir, has_masks=has_masks)
    return findings.table


def log_scores(table: list[Measurement], output: pathlib.Path) -> None:
    """Logs the most important measurements of a report in the folder `output`."""
    _logger.info(
        "The most important scores; %s has all of them.\n%s",
        output / REPORT,
        summary.as_table(table),
    )


def write_grid(evaluator: Evaluator, evaluated: EvaluatedWeights, path: pathlib.Path) -> np.ndarray:
    """Writes a grid of examples (real | mask | generated | predicted).

    Returns:
        the grid, uint8 `[height, width, 3]`.
    """
    count = _NUM_IMAGES if evaluator.experiment.data.image_size else _NUM_POINTS
    grid = grids.sample_grid(generation.examples(evaluator, evaluated, count), evaluator.schema)
    if processes.is_primary():
        files.write_image(path, grid)
    return grid


def scalars(table: list[Measurement]) -> dict[str, float]:
    """Values of the measurements over all classes by name, for TensorBoard."""
    return {f"eval/{m.protocol.task}/{_name(m)}": m.value for m in tables.whole(table)}


def _name(measurement: Measurement) -> str:
    protocol = measurement.protocol
    original = "original" if protocol.scored_size == "original" else None
    parts = (measurement.metric, protocol.solver, protocol.num_steps, original)
    return "_".join(str(part) for part in parts if part is not None)


def write_report(
    output: pathlib.Path,
    findings: Findings,
    schema: LabelSchema,
    title: str,
    workdir: pathlib.Path | None = None,
    *,
    has_masks: bool = False,
) -> None:
    """Writes `metrics.json`, `report.md`, and the plots and the legend of the report.

    Args:
        output: folder to write to, which already holds the grid of examples.
        findings: the results of the metrics.
        schema: the classes.
        title: heading of the report.
        workdir: folder of the run, with the history of its training; `output` by default.
        has_masks: whether the examples show masks, whose colours a legend explains.

    Raises:
        OutputError: if the file system refuses.
    """
    workdir = output if workdir is None else workdir
    table = findings.table
    sections = [f"# {title}", *tables.sections(table)]
    if findings.confusion is not None and findings.confusion.task == _CLASSIFICATION:
        sections.append(_confusion(output, findings.confusion, schema))
    if findings.risk_coverage:
        sections.append(_risk_coverage(output, findings))
    if findings.rejection:
        sections.append(_rejection(output, findings))
    figures = {name: plots.quality(table, *name) for name in plots.plottable(table)}
    for (task, metric), plot in figures.items():
        path = f"pictures/{task}_{metric}.png"
        files.write_image(output / path, plot)
        sections.append(f"## {task.capitalize()}: {metric} by NFE\n\n![{metric} by NFE]({path})")
    sections.append(f"## Examples\n\n![examples]({EXAMPLES})")
    if has_masks:
        files.write_image(output / CLASSES, legend(schema))
        sections.append(f"![colours of the classes]({CLASSES})")
    for place in (workdir, output):
        staging.sync(place)
    history = folder.read_history(workdir)
    if len(history) > 1:
        files.write_image(output / LOSS, _loss_curve(history))
        sections.append(f"## Training\n\n![loss]({LOSS})")
    skipped = {message for place in (workdir, output) for message in folder.read_skipped(place)}
    sections += _skipped(sorted(skipped))
    # Last, and together: a full disk leaves those of one evaluation.
    files.write_json(output / METRICS, [m.to_json() for m in table])
    files.write_text(output / REPORT, "\n\n".join(sections) + "\n")


def _confusion(output: pathlib.Path, confusion: Confusion, schema: LabelSchema) -> str:
    """The section of a confusion matrix: a table, or a plot if there are many classes."""
    if schema.num_classes <= tables.MOST_CLASSES:
        return tables.confusion_section(confusion.counts, schema.names, confusion.row)
    path = "pictures/confusion.png"
    files.write_image(output / path, plots.confusion(confusion.counts))
    return (
        f"## Confusion matrix\n\n![confusion matrix]({path})\n\nShare of each true class; "
        f"{confusion.row}."
    )


def _risk_coverage(output: pathlib.Path, findings: Findings) -> str:
    path = "pictures/risk_coverage.png"
    files.write_image(output / path, plots.risk_coverage(findings.risk_coverage))
    classifies = findings.confusion is not None and findings.confusion.task == _CLASSIFICATION
    answers = "labels" if classifies else "pixels"
    return (
        f"## Risk by coverage\n\n![risk by coverage]({path})\n\nError rate among the {answers} "
        "kept, as the least sure are left out; `aurc` in the table is the area under the curve, "
        "`calibration_error` how far confidence and accuracy are apart. Seed "
        f"{findings.table[0].protocol.seeds[0]}."
    )


def _rejection(output: pathlib.Path, findings: Findings) -> str:
    path = "pictures/rejection.png"
    files.write_image(output / path, plots.rejection(findings.rejection))
    seed = findings.table[0].protocol.seeds[0]
    return f"{tables.rejection_section(findings.rejection, path)}\n\nSeed {seed}."


def _skipped(messages: list[str]) -> list[str]:
    if not messages:
        return []
    lines = "\n".join(f"- {message}" for message in messages)
    return [
        f"## Skipped\n\n{len(messages)} examples could not be read and were left out:\n\n{lines}"
    ]


def _loss_curve(history: list[dict[str, float]]) -> np.ndarray:
    series = {}
    for name in ("loss", "loss_image", "loss_semantics"):
        lines = [line for line in history if name in line]
        # JSON has null for what is not finite.
        values = np.array([line[name] for line in lines], float).tolist()
        series[name] = ([line["step"] for line in lines], values)
    return curves(series, "training step")
