"""Scores with their protocols, which make them reproducible."""

import dataclasses
import math
import statistics
import types
import typing
from collections.abc import Sequence
from typing import Any

# Older names of fields and clocks, in the metrics of earlier runs.
_NEW_NAMES = {"num_draws": "ensemble_size"}
_NEW_CLOCKS = {"held": "clean"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Protocol:
    """Settings that a score depends on, besides the values of the weights.

    Attributes:
        task: "segmentation", "classification", "generation", "likelihood" or "objective".
        dataset: the data source, with the name of the data set if the source has several.
        split: the split of the data set.
        data_digest: digest of the fingerprint of its examples (`data/fingerprint.py`); None in
            measurements of earlier versions.
        conventions: the conventions of the score, a name of `PROTOCOLS` (docs/choices.md); those
            of earlier versions were "ours".
        image_size: height and width of the model's images; empty for points.
        crop: the crop to the model's aspect ratio, "centre" or "random"; None without one, as for
            points.
        fit: how images came to the model's size, such as "letterboxed"; None for a crop alone.
        resampling: filter that resized the images; None for points, and in measurements of earlier
            versions, where it was bicubic.
        dequantized: True if real images bore noise of half an 8-bit level.
        scored_size: "model" if masks were compared at the model's size, "original" if
            predictions were enlarged to the mask's own size; None if no masks were compared.
        view: how whole images were read at their own size; None if the part that the model's size
            shows was.
        mask_decoder: "own" if latents of labels were decoded by a decoder that was tuned to them,
            "images" if by the decoder of images; None for a loss or a model without latents.
        solver: name of the solver, or None for a loss.
        num_steps: number of its steps, or None if it is adaptive.
        tolerance: local error of an adaptive solver, otherwise None.
        ensemble_size: number of noise samples for each example.
        clock: "tied" if both components moved, "clean" if the given component stayed clean,
            "noise" if the other component was pure noise; None for a loss.
        divergence: how the divergence of a likelihood was found, or None.
        guidance: description of the guidance, or None.
        weights: the evaluated weights: "ema", the averaged ones.
        train_step: number of training steps of these weights.
        seeds: seed of the noise of each repetition.
        features: name of the feature function, or None.
        features_hash: hash of its weights, or None.
        reference: the real images of a distance between distributions, or None.
        conditions: what the images that are compared with real ones were generated from, or None.
    """

    task: str
    dataset: str
    split: str
    image_size: tuple[int, ...]
    crop: str | None
    weights: str
    train_step: int
    seeds: tuple[int, ...]
    data_digest: str | None = None
    conventions: str = "ours"
    fit: str | None = None
    resampling: str | None = None
    dequantized: bool = False
    scored_size: str | None = None
    view: str | None = None
    mask_decoder: str | None = None
    solver: str | None = None
    num_steps: int | None = None
    tolerance: float | None = None
    ensemble_size: int = 1
    clock: str | None = None
    divergence: str | None = None
    guidance: str | None = None
    features: str | None = None
    features_hash: str | None = None
    reference: str | None = None
    conditions: str | None = None

    @property
    def row(self) -> str:
        """Solver and number of steps, the name of a row in a table."""
        return f"{self.solver} {self.num_steps or ''}".strip()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measurement:
    """One score with its protocol.

    Attributes:
        metric: name of the metric.
        value: the score; the mean over the seeds if there are several; NaN if it is not defined.
        spread: standard deviation over the seeds, or None if there is only one.
        num_examples: number of examples of one seed, without padding.
        nfe: mean number of network passes for each example, or None for a loss.
        class_name: the class of a score of one class, or None for a score of all classes.
        protocol: the protocol of the score.
    """

    metric: str
    value: float
    spread: float | None = None
    num_examples: int
    nfe: float | None = None
    class_name: str | None = None
    protocol: Protocol

    def to_json(self) -> dict[str, Any]:
        """A flat dictionary of plain values, with the fields of the protocol and of the score."""
        values = dataclasses.asdict(self)
        return values.pop("protocol") | values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Measurement":
        """The measurement of a dictionary from `to_json`, also of an earlier version.

        Lists become tuples. A value of None, which JSON has for one that is not defined, becomes
        NaN.

        Raises:
            ValueError: if a field has another type.
        """
        values = {_NEW_NAMES.get(key, key): value for key, value in values.items()}
        if values.get("clock") in _NEW_CLOCKS:
            values["clock"] = _NEW_CLOCKS[values["clock"]]
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        _check_types(values)
        fields = {field.name for field in dataclasses.fields(Protocol)}
        protocol = Protocol(**{k: v for k, v in values.items() if k in fields})
        values["value"] = math.nan if values["value"] is None else values["value"]
        return cls(**{k: v for k, v in values.items() if k not in fields}, protocol=protocol)


def _check_types(values: dict[str, Any]) -> None:
    """Raises ValueError for a field of a measurement, or of its protocol, of another type.

    The value itself may be None, which JSON has for a score that is not defined.
    """
    hints = typing.get_type_hints(Protocol) | typing.get_type_hints(Measurement)
    hints["value"] = float | None
    for name, value in values.items():
        if name in hints and not _fits(value, hints[name]):
            raise ValueError(f"{name} is {value!r}")


def _fits(value: Any, hint: Any) -> bool:
    """Tells if a value of JSON has the type of a field."""
    if isinstance(hint, types.UnionType):
        return any(_fits(value, part) for part in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        part = typing.get_args(hint)[0]
        return isinstance(value, tuple) and all(_fits(item, part) for item in value)
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, int | float) if hint is float else isinstance(value, hint)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scores:
    """Scores of one pass over the examples, with one seed.

    Attributes:
        values: scores by metric.
        num_examples: number of examples, without padding.
        nfe: mean number of network passes for each example, or None for a loss.
        class_iou: intersection over union of each class that occurs, in [0, 1].
        protocol: the protocol of the scores.
    """

    values: dict[str, float]
    num_examples: int
    nfe: float | None = None
    class_iou: dict[str, float] = dataclasses.field(default_factory=dict)
    protocol: Protocol


def over_seeds(repeats: Sequence[Scores]) -> list[Measurement]:
    """Averages scores over seeds, with their standard deviations.

    Args:
        repeats: the scores of each seed; their protocols differ only in the seed.
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


def score(table: list[Measurement]) -> float | None:
    """The score that compares checkpoints: one-step accuracy or mIoU, in [0, 1].

    None if it is not defined, because no pixel or label counts, or because no class is predicted.
    """
    chosen = [
        m.value
        for m in table
        if m.metric in ("accuracy", "miou")
        and m.protocol.num_steps == 1
        and m.protocol.scored_size != "original"
    ]
    return chosen[0] if chosen and math.isfinite(chosen[0]) else None


def _standard_deviation(values: list[float]) -> float:
    if len(values) < 2 or not all(math.isfinite(value) for value in values):
        return math.nan
    return statistics.stdev(values)
