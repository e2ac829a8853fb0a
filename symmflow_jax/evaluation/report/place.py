"""Where a report goes: the folder of its run, or another one (`--output`)."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.runtime import outputs

EXAMPLES = "pictures/examples.png"
"""Path of the grid of examples in the report's folder."""

METRICS = "metrics.json"
"""Path of the measurements with their protocols in the report's folder."""

REPORT = "report.md"
"""Path of the text in the report's folder."""

LOSS = "loss.png"
"""Path of the plot of the loss in the report's folder."""

_INSTEAD = "--output, a folder for this report"


def check_place(
    folder: pathlib.Path,
    workdir: pathlib.Path,
    experiment: Experiment,
    *,
    overwrite: bool = False,
) -> None:
    """Checks that a report may be written to a folder, before the evaluation; changes nothing.

    In the folder of its run it replaces an earlier report on the same data. Elsewhere it replaces
    nothing.

    Args:
        folder: folder of the report.
        workdir: folder of the run.
        experiment: what will be evaluated.
        overwrite: whether to replace any report.

    Raises:
        OutputError: if a report would be replaced that must be kept, or if the folder cannot be
            written.
    """
    if not folder.exists() or not folder.samefile(workdir):
        pictures = sorted((folder / "pictures").glob("*.png"))
        paths = [folder / name for name in (REPORT, METRICS, LOSS)]
        outputs.check_outputs([*paths, *pictures], overwrite=overwrite)
        return
    outputs.check_writable(folder, _INSTEAD)
    measured = _measured(folder / METRICS)
    data = (experiment.dataset, experiment.data.eval_split)
    if not overwrite and measured - {data}:
        raise outputs.OutputError(
            f"{folder / METRICS} is of {_listed(measured)}, and this evaluation is of "
            f"{_listed({data})}. Give {_INSTEAD}, or --overwrite to replace that one."
        )


def _measured(path: pathlib.Path) -> set[tuple[str, str]]:
    """The data that the measurements in a file are of.

    Raises:
        OutputError: if the file holds no measurements.
    """
    try:
        return {_data(row) for row in json.loads(path.read_text(encoding="utf-8"))}
    except FileNotFoundError:
        return set()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise outputs.OutputError(
            f"{path} holds no measurements of an evaluation ({error}). Remove it, or give "
            f"{_INSTEAD}."
        ) from error


def _data(row: Mapping[str, Any]) -> tuple[str, str]:
    """What identifies the data of a measurement in its JSON."""
    return row["dataset"], row["split"]


def _listed(data: set[tuple[str, str]]) -> str:
    return " and ".join(f"{dataset} ({split})" for dataset, split in sorted(data))
