"""The report of a run: `report.md` for people and `metrics.json` for programs."""

import dataclasses
import logging
import pathlib

import numpy as np

from symmflow_jax import distributed, pictures, run_folder
from symmflow_jax.evaluate import Evaluator, Measurement
from symmflow_jax.symmflow import Params

_logger = logging.getLogger(__name__)

_NUM_PICTURES, _NUM_POINTS = 8, 1000


def report_evaluation(
    evaluator: Evaluator, params: Params, step: int, workdir: pathlib.Path
) -> list[Measurement]:
    """The full evaluation, written as report, metrics and a grid of pictures.

    Args:
        evaluator: what to measure.
        params: the weights, over this process's devices.
        step: training steps behind them.
        workdir: folder of the run.
    """
    table = evaluator.measure(params, step)
    picture = "pictures/examples.png"
    write_grid(evaluator, params, workdir / picture)
    if distributed.is_primary():
        write_report(workdir, table, f"{workdir.name}, step {step}", picture)
    _logger.info("%s", summary(table))
    _logger.info("Report: %s", workdir / "report.md")
    return table


def write_grid(evaluator: Evaluator, params: Params, path: pathlib.Path) -> np.ndarray:
    """Writes a grid of examples (real | mask | generated | predicted); returns it as uint8."""
    count = _NUM_PICTURES if evaluator.preparation.image_size else _NUM_POINTS
    grid = pictures.sample_grid(evaluator.sample(params, count), evaluator.schema)
    if distributed.is_primary():
        run_folder.write_picture(path, grid)
    return grid


def scalars(table: list[Measurement]) -> dict[str, float]:
    """The measurements over all classes by name, for TensorBoard."""
    return {f"eval/{m.task}/{_name(m)}": m.value for m in _whole(table)}


def summary(table: list[Measurement]) -> str:
    """The measurements over all classes in one line."""
    return "  ".join(f"{_name(m)} {m.value:.4f}" for m in _whole(table))


def _whole(table: list[Measurement]) -> list[Measurement]:
    return [m for m in table if m.class_name is None]


def _name(measurement: Measurement) -> str:
    parts = (measurement.metric, measurement.solver, measurement.num_steps)
    return "_".join(str(part) for part in parts if part is not None)


def write_report(workdir: pathlib.Path, table: list[Measurement], title: str, picture: str) -> None:
    """Writes `metrics.json`, `loss.png` and `report.md`.

    Args:
        workdir: folder of the run.
        table: the measurements.
        title: heading of the report.
        picture: path, relative to the folder, of a grid of examples.
    """
    run_folder.write_json(workdir / "metrics.json", [dataclasses.asdict(m) for m in table])
    sections = [f"# {title}", *_tables(table), f"## Examples\n\n![examples]({picture})"]
    history = run_folder.read_history(workdir)
    if len(history) > 1:
        run_folder.write_picture(workdir / "loss.png", _loss_curve(history))
        sections.append("## Training\n\n![loss](loss.png)")
    (workdir / "report.md").write_text("\n\n".join(sections) + "\n")


def _tables(table: list[Measurement]) -> list[str]:
    """A section for each task: its table, then its protocol."""
    tasks = dict.fromkeys(measurement.task for measurement in table)
    sections = [_section(task, [m for m in _whole(table) if m.task == task]) for task in tasks]
    classes = [m for m in table if m.class_name is not None]
    return [*sections, _class_section(classes)] if classes else sections


def _section(task: str, table: list[Measurement]) -> str:
    metrics = list(dict.fromkeys(m.metric for m in table))
    header = ["solver", "steps", "NFE", *metrics]
    rows = dict.fromkeys((m.solver, m.num_steps, m.nfe) for m in table)
    lines = [_line(header), _line(["---"] * len(header))]
    for solver, num_steps, nfe in rows:
        values = {
            m.metric: f"{m.value:.4f}"
            for m in table
            if (m.solver, m.num_steps, m.nfe) == (solver, num_steps, nfe)
        }
        cells = [solver or "", num_steps or "", f"{nfe:.1f}" if nfe else ""]
        lines.append(_line([*cells, *(values[metric] for metric in metrics)]))
    return f"## {task.capitalize()}\n\n" + "\n".join(lines) + "\n\n" + _protocol(table[0])


def _class_section(table: list[Measurement]) -> str:
    """A row for each class, a column for each solver and number of steps."""
    columns = list(dict.fromkeys((m.solver, m.num_steps) for m in table))
    values = {(m.class_name, m.solver, m.num_steps): f"{m.value:.4f}" for m in table}
    header = ["class", *(f"{solver} {num_steps or ''}".strip() for solver, num_steps in columns)]
    lines = [_line(header), _line(["---"] * len(header))]
    for name in dict.fromkeys(m.class_name for m in table):
        lines.append(_line([name, *(values.get((name, *column), "") for column in columns)]))
    return "## Intersection over union by class\n\n" + "\n".join(lines)


def _protocol(measurement: Measurement) -> str:
    return (
        f"{measurement.num_examples} examples of {measurement.dataset} "
        f"({measurement.split}); {measurement.weights} weights of step "
        f"{measurement.train_step}; {measurement.num_draws} draw(s); seed {measurement.seed}."
    )


def _line(cells: list) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _loss_curve(history: list[dict[str, float]]):
    series = {
        name: ([line["step"] for line in history], [line[name] for line in history])
        for name in ("loss", "loss_image", "loss_semantics")
    }
    return pictures.curves(series, "training step")
