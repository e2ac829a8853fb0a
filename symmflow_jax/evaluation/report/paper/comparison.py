"""Series of published figures, and how measurements stand beside them."""

import dataclasses
from collections.abc import Mapping

from symmflow_jax.evaluation.measurement import Measurement
from symmflow_jax.metrics.conventions import PUBLISHED

PERCENT = 0.01


@dataclasses.dataclass(frozen=True, kw_only=True)
class Published:
    """One series of the paper: a score by the number of solver steps.

    Attributes:
        data: the paper's name of the data set.
        task: the task, as in `Protocol`.
        metric: the metric, as in `Measurement`.
        values: the score by number of steps, as the paper prints it; None for an adaptive solver.
        decimals: number of decimals in the paper.
        unit: the paper's unit in units of `Measurement`: 0.01 for percent.
        note: what the paper and its code say of the protocol.
        num_examples: number of examples or of samples; None if the paper does not say.
        splits: names of the split, as sources call it.
        settings: further fields of `Protocol` in the paper's protocol; see `differences`.
        solver: the solver, as in `Protocol`.
        of_any_model: whether the figure is shown beside every model of the data set. Otherwise it
            is only shown beside a measurement of its metric.
    """

    data: str
    task: str
    metric: str
    values: Mapping[int, float] | Mapping[None, float]
    decimals: int
    unit: float = 1.0
    note: str
    num_examples: int | None
    splits: tuple[str, ...]
    settings: Mapping[str, object]
    solver: str = "euler"
    of_any_model: bool = True

    @property
    def title(self) -> str:
        """The data set, the task and the metric."""
        percent = ", %" if self.unit == PERCENT else ""
        return f"{self.data}, {self.task}: {self.metric}{percent}"

    def printed(self, value: float, more_decimals: int = 0) -> str:
        """A score in units of `Measurement` as the paper would print it."""
        return f"{value / self.unit:.{self.decimals + more_decimals}f}"


def concerns(published: Published, table: list[Measurement]) -> bool:
    """Tells if a series is to be shown beside a table."""
    of_metric = [m for m in table if (m.protocol.task, m.metric) == _score(published)]
    return published.of_any_model or bool(of_metric)


def _score(published: Published) -> tuple[str, str]:
    return published.task, published.metric


def ours(
    published: Published, num_steps: int | None, table: list[Measurement]
) -> list[Measurement]:
    """The measurements of a table for one published figure; several if masks have two sizes.

    Args:
        published: the series.
        num_steps: number of steps of the figure; None for those of any number.
        table: the measurements.
    """
    return [
        m
        for m in table
        if (m.protocol.task, m.metric) == _score(published)
        and m.protocol.solver == published.solver
        and num_steps in (None, m.protocol.num_steps)
        and m.class_name is None
    ]


def differences(published: Published, measurement: Measurement) -> list[str]:
    """What differs between the protocols of a published figure and of a measurement, in words.

    Empty if nothing does that either tells. Fewer examples, another size or filter, another
    preparation, other conventions and so on are told.
    """
    protocol, found = measurement.protocol, []
    # Points have neither crops nor levels, so that no convention concerns them.
    if protocol.image_size and protocol.conventions != PUBLISHED.name:
        found.append(f"protocol {protocol.conventions!r}")
    expected = published.num_examples
    if expected is not None and measurement.num_examples != expected:
        found.append(f"{measurement.num_examples:,} of {expected:,} {_counted(published)}")
    if protocol.split not in published.splits:
        found.append(f"split {protocol.split!r}")
    for name, value in (_ALWAYS | dict(published.settings)).items():
        given = getattr(protocol, name)
        if given != value:
            found.append(_WORDS[name].format(_shown(given), _shown(value)))
    return found


def not_measured(published: Published, table: list[Measurement]) -> str:
    """Why a table has nothing for a figure: other steps, or no such score."""
    steps = sorted({m.protocol.num_steps or 0 for m in ours(published, None, table)})
    solvers = {m.protocol.row for m in table if (m.protocol.task, m.metric) == _score(published)}
    if not steps and solvers:
        return f"measured by {', '.join(sorted(solvers))}"
    if steps:
        return f"measured in {', '.join(map(str, steps))} steps"
    return _REMEDIES.get(published.metric, "not measured")


_COUNTED = {"generation": "samples"}
"""What is counted of a task, if not examples."""


def _counted(published: Published) -> str:
    return _COUNTED.get(published.task, "examples")


def _shown(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return "x".join(map(str, value)) or "no" if isinstance(value, tuple) else str(value)


_WORDS = {
    "image_size": "{} instead of {} pixels",
    "resampling": "resized by {} instead of {} filter",
    "crop": "{} instead of {} crop",
    "dequantized": "noise of half a level in real images: {} instead of {}",
    "mask_decoder": "decoder of masks: {} instead of {}",
    "scored_size": "at the {} instead of the {} size",
    "ensemble_size": "{} draws instead of {}",
    "clock": "clock {} instead of {}",
    "guidance": "guidance: {} instead of {}",
    "weights": "{} instead of {} weights",
    "features": "features {} instead of {}",
    "conditions": "generated from {} instead of {}",
    "tolerance": "tolerance {} instead of {}",
}
"""Differences in words, by field of `Protocol`: the value, and that of the paper."""

_ALWAYS: dict[str, object] = {
    "ensemble_size": 1,
    "clock": "tied",
    "guidance": None,
    "weights": "ema",
}
"""Fields of every published protocol."""

_REMEDIES = {
    "fid": "not measured; set config.eval.features, feature_weights and num_feature_samples",
    "lpips": "not measured; set config.eval.lpips_weights and num_feature_samples",
}
