"""Scores and how they were obtained: a figure is worth as much as its protocol."""

import dataclasses
import math
import statistics
from collections.abc import Sequence
from typing import Any

# Names of before, in the metrics of earlier runs.
_NEW_NAMES = {"num_draws": "ensemble_size"}
_NEW_CLOCKS = {"held": "clean"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Protocol:
    """All that a score depends on beside the weights' values.

    Attributes:
        task: "segmentation", "classification", "generation" or "objective".
        dataset: the data source, with the name of the set where it holds several.
        split: split of it.
        image_size: height and width that the model works at; empty for points.
        crop: how images came to the model's aspect ratio, "centre"; None for points.
        scored_size: "model" if masks were compared at the model's size, "original" if
            predictions were enlarged to the mask's own; None where no masks were compared.
        mask_decoder: "own" if latents of masks were read by a decoder that was tuned to them,
            "images" if by that of images; None where nothing was integrated, or not in latents.
        solver: solver, or None where nothing was integrated.
        num_steps: its steps, or None where they are adaptive.
        tolerance: local error of an adaptive solver, otherwise None.
        ensemble_size: noises for each sample.
        clock: "tied" if both components moved, "clean" if the one that was given stayed clean;
            None where nothing was integrated.
        guidance: how images were drawn towards their conditions, in words, or None.
        weights: which weights were used.
        train_step: training steps behind them.
        seeds: origin of the noise of each repeat.
        features: name of the feature function, or None where none was used.
        features_hash: SHA-256 of its weights, or None.
        reference: the real images that a distribution was compared with, or None.
    """

    task: str
    dataset: str
    split: str
    image_size: tuple[int, ...]
    crop: str | None
    weights: str
    train_step: int
    seeds: tuple[int, ...]
    scored_size: str | None = None
    mask_decoder: str | None = None
    solver: str | None = None
    num_steps: int | None = None
    tolerance: float | None = None
    ensemble_size: int = 1
    clock: str | None = None
    guidance: str | None = None
    features: str | None = None
    features_hash: str | None = None
    reference: str | None = None

    @property
    def row(self) -> str:
        """Solver and steps in words: what a row of a table is called."""
        return f"{self.solver} {self.num_steps or ''}".strip()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measurement:
    """One score with its protocol.

    Attributes:
        metric: what was measured.
        value: the score; the mean where there are several seeds.
        spread: standard deviation over the seeds, or None if there is one seed only.
        num_examples: examples that count, of one seed; padding never does.
        nfe: mean network passes for each sample, or None where nothing was integrated.
        class_name: the one class that was measured, or None for all of them.
        protocol: how it was measured.
    """

    metric: str
    value: float
    spread: float | None = None
    num_examples: int
    nfe: float | None = None
    class_name: str | None = None
    protocol: Protocol

    def to_json(self) -> dict[str, Any]:
        """One level of plain values: the protocol's stand beside the score's."""
        values = dataclasses.asdict(self)
        return values.pop("protocol") | values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Measurement":
        """The measurement that `to_json` made, perhaps by an earlier version.

        Lists are read as tuples.
        """
        values = {_NEW_NAMES.get(key, key): value for key, value in values.items()}
        if values.get("clock") in _NEW_CLOCKS:
            values["clock"] = _NEW_CLOCKS[values["clock"]]
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        fields = {field.name for field in dataclasses.fields(Protocol)}
        protocol = Protocol(**{k: v for k, v in values.items() if k in fields})
        return cls(**{k: v for k, v in values.items() if k not in fields}, protocol=protocol)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scores:
    """What one pass over the examples gave, with one seed.

    Attributes:
        values: scores by metric.
        num_examples: examples behind them.
        nfe: mean network passes for each sample, or None.
        class_iou: intersection over union by class, of the classes that occur.
        protocol: how they were measured.
    """

    values: dict[str, float]
    num_examples: int
    nfe: float | None = None
    class_iou: dict[str, float] = dataclasses.field(default_factory=dict)
    protocol: Protocol


def over_seeds(repeats: Sequence[Scores]) -> list[Measurement]:
    """The means over seeds of the same scores, with their spread.

    Args:
        repeats: the scores of each seed; their protocols differ in nothing else.
    """
    seeds = tuple(seed for scores in repeats for seed in scores.protocol.seeds)
    protocol = dataclasses.replace(repeats[0].protocol, seeds=seeds)
    costs = [scores.nfe for scores in repeats if scores.nfe is not None]

    def measured(metric: str, values: list[float], class_name: str | None = None) -> Measurement:
        return Measurement(
            metric=metric,
            value=statistics.fmean(values),
            spread=_standard_deviation(values) if len(repeats) > 1 else None,
            num_examples=repeats[0].num_examples,
            nfe=statistics.fmean(costs) if costs else None,
            class_name=class_name,
            protocol=protocol,
        )

    whole = [measured(name, [s.values[name] for s in repeats]) for name in repeats[0].values]
    # A class that one seed never predicts may be predicted with another.
    names = dict.fromkeys(name for scores in repeats for name in scores.class_iou)
    by_class = {name: [s.class_iou[name] for s in repeats if name in s.class_iou] for name in names}
    return whole + [measured("iou", values, name) for name, values in by_class.items()]


def score(table: list[Measurement]) -> float:
    """The one figure by which checkpoints are compared: one-step accuracy or mIoU."""
    chosen = [
        m.value
        for m in table
        if m.metric in ("accuracy", "miou")
        and m.protocol.num_steps == 1
        and m.protocol.scored_size != "original"
    ]
    return chosen[0]


def _standard_deviation(values: list[float]) -> float:
    if len(values) < 2 or not all(math.isfinite(value) for value in values):
        return math.nan
    return statistics.stdev(values)
