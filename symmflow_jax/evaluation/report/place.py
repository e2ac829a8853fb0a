"""Where a report goes: the folder of its run, or another one (`--output`)."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.evaluation.cost import COST
from symmflow_jax.runs.pictures.legend import LEGEND
from symmflow_jax.runtime import outputs

EXAMPLES = "pictures/examples.png"
"""Path of the grid of examples in the report's folder."""

METRICS = "metrics.json"
"""Path of the measurements with their protocols in the report's folder."""

REPORT = "report.md"
"""Path of the text in the report's folder."""

LOSS = "loss.png"
"""Path of the plot of the loss in the report's folder."""

CLASSES = LEGEND
"""Path of the legend of masks in the report's folder."""

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
        DataError: if the data is missing.
        OutputError: if a report would be replaced that must be kept, or if the folder cannot be
            written.
    """
    if not folder.exists() or not folder.samefile(workdir):
        pictures = sorted((folder / "pictures").glob("*.png"))
        paths = [folder / name for name in (REPORT, METRICS, LOSS, EXAMPLES, CLASSES, COST)]
        outputs.check_outputs(list(dict.fromkeys([*paths, *pictures])), overwrite=overwrite)
        return
    outputs.check_writable(folder, _INSTEAD)
    if overwrite:
        return
    before = _measured(folder / METRICS)
    data = _Data.of_experiment(experiment)
    if not all(data.may_be(other) for other in before):
        raise outputs.OutputError(
            f"{folder / METRICS} is of {' and '.join(map(str, sorted(before)))}, and this "
            f"evaluation is of {data}. Give {_INSTEAD}, or --overwrite to replace that one."
        )


class _Data(NamedTuple):
    """What identifies the data of a measurement; the digest is "" in those of earlier versions."""

    dataset: str
    split: str
    digest: str

    @classmethod
    def of_json(cls, row: Mapping[str, Any]) -> "_Data":
        return cls(row["dataset"], row["split"], row.get("data_digest") or "")

    @classmethod
    def of_experiment(cls, experiment: Experiment) -> "_Data":
        digest = experiment.evaluation_fingerprint.digest
        return cls(experiment.dataset, experiment.data.eval_split, digest)

    def may_be(self, other: "_Data") -> bool:
        """Whether nothing tells both apart."""
        digests = {self.digest, other.digest} - {""}
        return self[:2] == other[:2] and len(digests) <= 1

    def __str__(self) -> str:
        data = f", data {self.digest[:8]}" if self.digest else ""
        return f"{self.dataset} ({self.split}{data})"


def _measured(path: pathlib.Path) -> set[_Data]:
    """The data that the measurements in a file are of.

    Raises:
        OutputError: if the file holds no measurements.
    """
    try:
        return {_Data.of_json(row) for row in json.loads(path.read_text(encoding="utf-8"))}
    except FileNotFoundError:
        return set()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise outputs.OutputError(
            f"{path} holds no measurements of an evaluation. Remove it, or give {_INSTEAD}."
        ) from error
