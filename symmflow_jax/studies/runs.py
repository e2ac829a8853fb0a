"""What studies share: runs that are trained once, and tables over their seeds."""

import json
import pathlib
import runpy
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from flax import traverse_util

from symmflow_jax import config_conversion, markdown, model
from symmflow_jax.config import Config
from symmflow_jax.model import Model
from symmflow_jax.train import train_and_evaluate


class FinishedRun(NamedTuple):
    """A run that has been trained and evaluated.

    Attributes:
        model: its last checkpoint.
        measurements: the lines of its `metrics.json`, each a score with its protocol.
    """

    model: Model
    measurements: list[dict[str, Any]]


def config_of(config_file: str, changes: Mapping[str, Any]) -> Config:
    """The config of a file with some of its values changed.

    Args:
        config_file: such as "configs/spirals.py", from the folder that holds `configs`.
        changes: values by dotted key, such as `{"train.num_epochs": 2.0}`.

    Raises:
        ValueError: if there is no such file or key, or a value cannot be.
    """
    if not pathlib.Path(config_file).is_file():
        raise ValueError(
            f"There is no {config_file} in {pathlib.Path.cwd()}; start studies in the folder that "
            "holds configs/."
        )
    values = runpy.run_path(config_file)["get_config"]().to_dict()
    flat = traverse_util.flatten_dict(values, sep=".") | changes
    return config_conversion.from_json(traverse_util.unflatten_dict(flat, sep="."))


def finished_run(config: Config, workdir: pathlib.Path) -> FinishedRun:
    """The run in a folder, trained to its end if it is not there yet, or only in part.

    Raises:
        ValueError: if the folder holds a run of another config; and as `train_and_evaluate`.
    """
    _check_same_config(config, workdir)
    metrics = workdir / "metrics.json"
    if not metrics.exists():
        train_and_evaluate(config, workdir)
    return FinishedRun(model.load(workdir), json.loads(metrics.read_text()))


def table_over_seeds(
    label: str, rows: Mapping[Any, Mapping[Any, Sequence[float]]], columns: Sequence[Any]
) -> str:
    """A Markdown table of means ± standard deviations.

    Args:
        label: what the rows are, over the first column.
        rows: by name, and then by column, the values of all seeds.
        columns: the columns in their order; a row may lack some.
    """
    lines = [
        [name, *(markdown.mean_and_spread(cells[c]) if c in cells else "" for c in columns)]
        for name, cells in rows.items()
    ]
    return markdown.table([label, *columns], lines)


def _check_same_config(config: Config, workdir: pathlib.Path) -> None:
    """A study whose folder has figures of other values would report them as its own."""
    path = workdir / "config.json"
    if not path.exists():
        return
    old, new = (
        traverse_util.flatten_dict(config_conversion.to_json(made), sep=".")
        for made in (config_conversion.from_json(json.loads(path.read_text())), config)
    )
    changed = [
        f"config.{key} is {new[key]!r}, was {old[key]!r}" for key in new if new[key] != old[key]
    ]
    if changed:
        raise ValueError(
            f"{workdir} holds a run of another config: {'; '.join(changed)}. Give another "
            "--workdir, or remove that folder."
        )
