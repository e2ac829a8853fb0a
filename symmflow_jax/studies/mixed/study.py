"""Study of mixed supervision: few scenes with masks, and many without.

    python -m symmflow_jax.studies.mixed --workdir=runs/mixed

What do images without masks change, for the reading of masks and for the making of images? The
same network is trained on 50 scenes with masks: alone; with half of each batch without masks, for
as many steps and for as many examples with masks; and with masks that the first network made.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data.mixing.mixture import ALONE, Mixture, Part
from symmflow_jax.flow.state import JointState
from symmflow_jax.metrics.confusion import ConfusionMatrix, mean_iou
from symmflow_jax.runs import markdown
from symmflow_jax.runs.pictures import plots
from symmflow_jax.studies.mixed import scenes as scenes_lib
from symmflow_jax.studies.mixed.scenes import Scenes
from symmflow_jax.studies.report import Report
from symmflow_jax.studies.training import experiment_of, in_words

NUM_MASKS, NUM_IMAGES, NUM_PSEUDO = 50, 2_000, 1_000
NUM_STEPS = 800
SHARE = 0.5

SETTINGS: dict[str, Any] = {
    "data.image_size": (16, 16),
    "data.eval_size": 200,
    "network.channel_multipliers": (1, 2),
    "network.head_channels": 32,
    "train.warmup_epochs": 0.01,
    "train.ema_decay": 0.99,
}
"""Changes of `configs/shapes.py`."""

MASKS = "masks alone"
SAME_STEPS = "with images, same steps"
SAME_MASKS = "with images, same examples with masks"
PSEUDO = "with its own masks of the surest images"

BLIND, GIVEN, READ = "image loss, no mask", "image loss, given the mask", "one-step mIoU"

LEAST_GAIN = 0.05
MOST_LOSS = 0.03


class Row(NamedTuple):
    """What one training gives on scenes that it has not seen.

    Attributes:
        miou: mean IoU of masks that are read in one step.
        given: loss of the image's velocity beside the true mask.
        blind: the same without a mask.
    """

    miou: float
    given: float
    blind: float


def study(changes: Mapping[str, Any] | None = None) -> Report:
    """Trains and measures all rows; `changes` are config values on top of `SETTINGS`."""
    settings = SETTINGS | dict(changes or {})
    experiment = experiment_of("configs/shapes.py", settings)
    rows, miou_of_pseudo = measure(experiment)
    return assemble(rows, miou_of_pseudo, settings, experiment.train.batch_size)


def measure(experiment: Experiment) -> tuple[dict[str, Row], float]:
    """The rows by name, and the mIoU of the masks that the last row learns from."""
    drawn = Scenes.drawn(experiment, experiment.training_source, NUM_MASKS + NUM_IMAGES)
    labelled = Scenes(drawn.schemas, drawn.elements[:NUM_MASKS])
    more = Scenes(drawn.schemas, drawn.elements[NUM_MASKS:])
    held_out = Scenes.drawn(
        experiment, experiment.evaluation_source, len(experiment.evaluation_source)
    )
    images = Mixture((Part(more.without_masks(), SHARE, JointState(1.0, 0.0)),))
    longer = round(NUM_STEPS / (1 - SHARE))
    rows = {}
    first = None
    for name, mixture, num_steps in (
        (MASKS, ALONE, NUM_STEPS),
        (SAME_STEPS, images, NUM_STEPS),
        (SAME_MASKS, images, longer),
    ):
        weights = scenes_lib.train(experiment, labelled, mixture, num_steps)
        first = weights if first is None else first
        rows[name] = _row(experiment, weights, held_out)
    pseudo, quality = _pseudo_masks(experiment, first, more)
    weights = scenes_lib.train(experiment, labelled, Mixture((Part(pseudo, SHARE),)), NUM_STEPS)
    return rows | {PSEUDO: _row(experiment, weights, held_out)}, quality


def _row(experiment: Experiment, weights: Any, held_out: Scenes) -> Row:
    found = scenes_lib.read(experiment, weights, held_out.images)
    return Row(
        _miou(held_out.masks, np.asarray(found.labels), experiment.schema.num_classes),
        scenes_lib.image_loss(experiment, weights, held_out, given_masks=True),
        scenes_lib.image_loss(experiment, weights, held_out, given_masks=False),
    )


def _pseudo_masks(experiment: Experiment, weights: Any, more: Scenes) -> tuple[Scenes, float]:
    """The scenes of the highest mean confidence with the masks that are read, and their mIoU."""
    found = scenes_lib.read(experiment, weights, more.images)
    confidence = np.mean(found.confidence, axis=(1, 2))
    chosen = np.sort(np.argsort(-confidence, kind="stable")[:NUM_PSEUDO])
    masks = np.asarray(found.labels, np.int32)
    quality = _miou(more.masks[chosen], masks[chosen], experiment.schema.num_classes)
    return more.with_masks(masks, chosen), quality


def _miou(target: np.ndarray, found: np.ndarray, num_classes: int) -> float:
    counts = ConfusionMatrix.from_masks(target.ravel(), np.asarray(found).ravel(), num_classes)
    return mean_iou(np.asarray(counts.compute()))


def assemble(
    rows: Mapping[str, Row], miou_of_pseudo: float, settings: Mapping[str, Any], batch_size: int
) -> Report:
    """Makes the report of all rows by name."""
    table = markdown.table(
        ["trained on", READ, GIVEN, BLIND],
        [[name, *(f"{value:.3f}" for value in row)] for name, row in rows.items()],
    )
    gates = "\n".join(f"- {line}" for line in gates_of(rows))
    text = f"""# Mixed supervision: {NUM_MASKS} scenes with masks, {NUM_IMAGES} without

{table}

{finding(rows)}

On {settings["data.eval_size"]} scenes that no training has seen; one seed. Each training has
{NUM_STEPS} steps of {batch_size} examples, the third one {round(NUM_STEPS / (1 - SHARE))}. In all
but the first, a share of {SHARE:g} is without masks, or with those {NUM_PSEUDO} that the first
network reads most surely (their mIoU is {miou_of_pseudo:.3f}).

The gates:

{gates}

`configs/shapes.py` with {in_words(settings)}."""
    return Report(text, _plot(rows))


def gates_of(rows: Mapping[str, Row]) -> Sequence[str]:
    """One line for each gate, met or missed."""
    alone, mixed = rows[MASKS], rows[SAME_MASKS]
    return [
        _gate(
            f"the image loss without a mask falls by at least {LEAST_GAIN:g}",
            mixed.blind <= alone.blind - LEAST_GAIN,
            f"{alone.blind:.3f} to {mixed.blind:.3f}",
        ),
        _gate(
            "the image loss given the mask falls",
            mixed.given < alone.given,
            f"{alone.given:.3f} to {mixed.given:.3f}",
        ),
        _gate(
            f"for as many examples with masks, the mIoU falls by at most {MOST_LOSS:g}",
            mixed.miou >= alone.miou - MOST_LOSS,
            f"{alone.miou:.3f} to {mixed.miou:.3f}",
        ),
    ]


def _gate(what: str, is_met: bool, figures: str) -> str:
    return f"{'met' if is_met else 'missed'}: {what} ({figures})"


def finding(rows: Mapping[str, Row]) -> str:
    """The finding in words, from the figures alone."""
    alone, steps, masks, pseudo = (rows[name] for name in (MASKS, SAME_STEPS, SAME_MASKS, PSEUDO))

    def change(before: float, after: float) -> str:
        verb = "rises" if after > before else "falls" if after < before else "stays"
        return f"{verb} from {before:.3f} to {after:.3f}"

    return (
        "In as many steps, images without masks change the mIoU: it "
        f"{change(alone.miou, steps.miou)}. With as many examples with masks, in more steps, it "
        f"{change(alone.miou, masks.miou)}, and the image loss without a mask "
        f"{change(alone.blind, masks.blind)}. With masks of its own the mIoU "
        f"{change(alone.miou, pseudo.miou)}. Differences of a few hundredths may be noise, since "
        "there is one seed."
    )


def _plot(rows: Mapping[str, Row]) -> np.ndarray:
    """A panel for each score, with a bar for each training."""
    plt = plots.pyplot()
    figure, axes = plt.subplots(1, 3, figsize=(13, 3.2), sharey=True)
    columns = zip(*rows.values(), strict=True)
    for axis, title, values in zip(axes, (READ, GIVEN, BLIND), columns, strict=True):
        bars = axis.barh(list(rows), values)
        axis.bar_label(bars, [f"{value:.3f}" for value in values], padding=3)
        axis.set_title(title)
        axis.set_xlim(0, 1.2 * max(values))
    axes[0].invert_yaxis()
    figure.tight_layout()
    return plots.render(figure)
