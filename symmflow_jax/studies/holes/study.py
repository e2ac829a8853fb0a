"""Study of masks with holes: is a mask of which a third is unknown a fair condition?

    python -m symmflow_jax.studies.holes --workdir=runs/holes

Networks learn from drawn scenes whose masks have random holes (`data.hidden_share`), with one of
three codes for what is unknown. Images are then made from whole masks, and from the same masks of
which a third is unknown. The network reads them again in one step: how well does the known part
agree?
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data.mixing.mixture import ALONE
from symmflow_jax.metrics.confusion import ConfusionMatrix, mean_iou
from symmflow_jax.runs import markdown
from symmflow_jax.runs.pictures import grids
from symmflow_jax.semantics.labels import UNKNOWN
from symmflow_jax.semantics.one_hot import OneHot
from symmflow_jax.studies.holes.codes import NoiseCode, PlaneCode, with_code
from symmflow_jax.studies.mixed import scenes as scenes_lib
from symmflow_jax.studies.mixed.scenes import Scenes
from symmflow_jax.studies.report import Report
from symmflow_jax.studies.training import experiment_of, in_words

NUM_SCENES, NUM_STEPS, NUM_TEST = 3_000, 3_000, 200
GENERATION_STEPS = 25
HIDDEN = 1 / 3

SETTINGS: dict[str, Any] = {
    "data.image_size": (16, 16),
    "data.eval_size": NUM_TEST,
    "data.hidden_share": 0.6,
    "network.channel_multipliers": (1, 2),
    "network.head_channels": 32,
    "train.warmup_epochs": 0.01,
    "train.ema_decay": 0.99,
}
"""Changes of `configs/shapes.py`."""

NO_CLASS = "-1 in all planes"
CODES: dict[str, type[OneHot]] = {
    NO_CLASS: OneHot,
    "noise, as at t = 1": NoiseCode,
    "a plane of its own": PlaneCode,
}
"""The codes of unknown pixels; `OneHot` has the first one."""

MOST_LOSS = 0.02
_NUM_SHOWN = 6


class Agreement(NamedTuple):
    """How well the known part of a mask agrees with what is read in the image made of it.

    The class of a shape shows in its whole outline. Where a part of the outline is unknown and made
    up, a known piece may look like one of another class, although it is where the mask has it.

    Attributes:
        classes: mean IoU of all classes.
        ground: mean IoU of two: the ground, and shapes of whichever class.
    """

    classes: float
    ground: float


class Row(NamedTuple):
    """What one network gives on scenes that it has not seen.

    Attributes:
        miou: mean IoU of masks of real images, read in one step.
        whole: agreement of images of whole masks, on the part that is known in the others.
        holes: that of images of masks with holes.
    """

    miou: float
    whole: Agreement
    holes: Agreement


class Findings(NamedTuple):
    """A row, and pictures of some scenes for the report: masks and images, `[count, ...]`."""

    row: Row
    pictures: dict[str, np.ndarray]


def study(changes: Mapping[str, Any] | None = None) -> Report:
    """Trains and measures all codes; `changes` are config values on top of `SETTINGS`."""
    settings = SETTINGS | dict(changes or {})
    experiment = experiment_of("configs/shapes.py", settings)
    seen = Scenes.drawn(experiment, experiment.training_source, NUM_SCENES)
    unseen = Scenes.drawn(
        experiment, experiment.evaluation_source, len(experiment.evaluation_source)
    )
    findings = {name: _measure(experiment, code, seen, unseen) for name, code in CODES.items()}
    return assemble(findings, experiment, settings)


def _measure(experiment: Experiment, code: type[OneHot], seen: Scenes, unseen: Scenes) -> Findings:
    method = with_code(experiment.method, code)
    weights = scenes_lib.train(experiment, seen, ALONE, NUM_STEPS, method)
    masks, num_classes = unseen.masks, experiment.schema.num_classes
    hidden = holes(len(masks), masks.shape[1:], np.random.default_rng(0))
    read = np.asarray(scenes_lib.read(experiment, weights, unseen.images, method).labels)
    pictures, agreements = {"mask": masks}, []
    for name, conditions in (("whole", masks), ("holes", np.where(hidden, UNKNOWN, masks))):
        images = scenes_lib.generate(experiment, weights, conditions, GENERATION_STEPS, method)
        found = np.asarray(scenes_lib.read(experiment, weights, images, method).labels)
        agreements.append(agreement(masks[~hidden], found[~hidden], num_classes))
        pictures |= {f"{name} condition": conditions, f"{name} image": images}
    shown = {name: values[:_NUM_SHOWN] for name, values in pictures.items()}
    return Findings(Row(_miou(masks, read, num_classes), *agreements), shown)


def holes(count: int, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Random boxes that cover at least a third of each mask, bool `[count, height, width]`."""
    hidden = np.zeros((count, *shape), bool)
    for one in hidden:
        while one.mean() < HIDDEN:
            sizes = [rng.integers(max(1, side // 5), max(2, side // 2 + 1)) for side in shape]
            top, left = (rng.integers(a - b + 1) for a, b in zip(shape, sizes, strict=True))
            one[top : top + sizes[0], left : left + sizes[1]] = True
    return hidden


def agreement(target: np.ndarray, found: np.ndarray, num_classes: int) -> Agreement:
    """The agreement of known pixels, int `[pixels]`, whose class 0 is the ground."""
    return Agreement(_miou(target, found, num_classes), _miou(target > 0, found > 0, 2))


def _miou(target: np.ndarray, found: np.ndarray, num_classes: int) -> float:
    counts = ConfusionMatrix.from_masks(target.ravel(), np.asarray(found).ravel(), num_classes)
    return mean_iou(np.asarray(counts.compute()))


def assemble(
    findings: Mapping[str, Findings], experiment: Experiment, settings: Mapping[str, Any]
) -> Report:
    """Makes the report of all codes by name."""
    columns = ["one-step mIoU", "agreement, whole masks", "a third unknown"]
    columns += ["shapes against ground, whole masks", "a third unknown"]
    table = markdown.table(
        ["code of unknown pixels", *columns],
        [
            [name, *(f"{value:.3f}" for value in _values(found.row))]
            for name, found in findings.items()
        ],
    )
    text = f"""# Masks with holes

{table}

Agreement is the mIoU, on the known two thirds of the masks, of what the network itself reads in the
images that it has made of them: of all classes, and of the ground against shapes of whichever
class. The class of a shape shows in its whole outline, of which a hole leaves a part. One seed,
{settings["data.eval_size"]} scenes that no training has seen, {NUM_STEPS} steps of
{experiment.train.batch_size} scenes, {GENERATION_STEPS} Euler steps.

{gates(findings)}

`configs/shapes.py` with {in_words(settings)}."""
    return Report(text, _picture(findings[NO_CLASS], experiment))


def _values(row: Row) -> tuple[float, ...]:
    """The cells of a row, in the order of the columns."""
    whole, cut = row.whole, row.holes
    return row.miou, whole.classes, cut.classes, whole.ground, cut.ground


def gates(findings: Mapping[str, Findings]) -> str:
    """Whether the known part agrees as well as with whole masks, of the code that is used."""
    row = findings[NO_CLASS].row
    pairs = {
        f"with {NO_CLASS}, agreement": (row.whole.classes, row.holes.classes),
        "that of shapes against ground": (row.whole.ground, row.holes.ground),
    }
    return "\n".join(
        f"- {'met' if cut >= whole - MOST_LOSS else 'missed'}: {name} falls by at most "
        f"{MOST_LOSS:g} ({whole:.3f} to {cut:.3f})"
        for name, (whole, cut) in pairs.items()
    )


def _picture(found: Findings, experiment: Experiment) -> np.ndarray:
    """Rows of conditions with the images made of them."""
    pictures = found.pictures
    columns = [
        ("whole mask", experiment.schema.colourize(pictures["whole condition"])),
        ("image", pictures["whole image"]),
        ("a third unknown", experiment.schema.colourize(pictures["holes condition"])),
        ("image", pictures["holes image"]),
    ]
    rows = [
        [(name if index == 0 else "", images[index]) for name, images in columns]
        for index in range(len(pictures["mask"]))
    ]
    return grids.tiles(rows)
