"""Study of images of any size: canvases of scenes, read and made by a model of single scenes.

    python -m symmflow_jax.studies.canvas --run=runs/shapes --workdir=runs/canvas

A canvas holds four times four scenes of the training's scale, shifted by half a window, so that no
window without overlap shows a whole scene. It is read in windows, in one pass, and shrunk to the
model's size, which must fail. Canvases that are not shifted are the other control: their windows
are single scenes. Masks of two times two scenes become images by joint windows, whose seams are
measured. Without `--run` the study trains a model of its own.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data.geometry import canvas
from symmflow_jax.data.geometry.canvas import View
from symmflow_jax.data.sources.synthetic.shapes import SIDE
from symmflow_jax.flow import keys
from symmflow_jax.flow.keys import Stream
from symmflow_jax.flow.solvers.fixed_steps import euler
from symmflow_jax.inference.canvas.generation import generate_on_canvas
from symmflow_jax.inference.canvas.reading import Reader, reader_of
from symmflow_jax.inference.loading import load
from symmflow_jax.methods.weights import Weights
from symmflow_jax.metrics import confusion
from symmflow_jax.metrics.confusion import ConfusionMatrix
from symmflow_jax.runs import markdown
from symmflow_jax.runs.pictures import plots
from symmflow_jax.studies import training
from symmflow_jax.studies.canvas import scenes
from symmflow_jax.studies.canvas.scenes import Scenes
from symmflow_jax.studies.report import Report
from symmflow_jax.training.state import create_train_state
from symmflow_jax.training.train_step import make_train_step

_logger = logging.getLogger("symmflow_jax.studies.canvas")

NUM_CANVASES, ACROSS = 8, 4
NUM_MADE, ACROSS_MADE, NUM_STEPS = 8, 2, 25

SETTINGS: dict[str, Any] = {"train.num_epochs": 0.2, "train.warmup_epochs": 0.03}
"""Changes of `configs/shapes.py` for a model of the study's own."""

HALF, NONE, WHOLE, SHRUNK, SINGLE, ALIGNED = (
    "windows, overlap 0.5",
    "windows, no overlap",
    "whole, in one pass",
    "shrunk to one window",
    "single scenes",
    "canvases that are not shifted, windows without overlap",
)
VIEWS: dict[str, View] = {
    NONE: View("tiles", canvas.tiled, overlap=0.0),
    "windows, overlap 0.25": View("tiles", canvas.tiled, overlap=0.25),
    HALF: View("tiles", canvas.tiled, overlap=0.5),
    "windows, overlap 0.75": View("tiles", canvas.tiled, overlap=0.75),
    "windows, overlap 0.5, and mirrored": View("tiles", canvas.tiled, overlap=0.5, flips=True),
    "windows, overlap 0.5, at 0.8, 1 and 1.25": View(
        "tiles", canvas.tiled, overlap=0.5, scales=(0.8, 1.0, 1.25)
    ),
    WHOLE: View("whole", canvas.whole),
    SHRUNK: View("stretch", canvas.stretched),
}

LEAST, GAIN, CLOSE, MOST_SHRUNK, ALIKE, MOST_SEAM = 0.87, 0.05, 0.02, 0.4, 0.01, 1.1


class Read(NamedTuple):
    """What one way of reading gives.

    Attributes:
        miou: mean IoU over all pixels.
        nfe: network passes for each canvas.
        at_seams, elsewhere: shares of wrong pixels near the borders of windows without overlap,
            and of all others.
    """

    miou: float
    nfe: float
    at_seams: float
    elsewhere: float


class Made(NamedTuple):
    """Images of one overlap.

    Attributes:
        images: uint8 `[count, height, width, 3]`.
        seam: gradient across the borders of windows over that elsewhere; see `scenes.seam`.
        agreement: mean IoU of the images' masks, as the model reads them, with the given ones.
    """

    images: np.ndarray
    seam: float
    agreement: float


def study(
    run: str = "",
    changes: Mapping[str, Any] | None = None,
    num_canvases: int = NUM_CANVASES,
    num_made: int = NUM_MADE,
    num_steps: int = NUM_STEPS,
) -> Report:
    """Reads and makes canvases.

    Args:
        run: folder of a run of `configs/shapes.py`; "" trains a model.
        changes: config values on top of `SETTINGS`.
        num_canvases: number of canvases that are read.
        num_made: number of images that are made.
        num_steps: Euler steps of each image.
    """
    experiment, weights, model = _model(run, changes)
    reader = reader_of(experiment, weights)
    drawn = scenes.singles(num_canvases * ACROSS**2, seed=1)
    shifted = scenes.side_by_side(drawn, ACROSS, SIDE // 2)
    read = {name: _read(reader, shifted, view) for name, view in VIEWS.items()}
    read[SINGLE] = _read(reader, drawn, VIEWS[NONE])
    read[ALIGNED] = _read(reader, scenes.side_by_side(drawn, ACROSS), VIEWS[NONE])
    drawn = scenes.singles(num_made * ACROSS_MADE**2, seed=2)
    masks = scenes.rolled(scenes.side_by_side(drawn, ACROSS_MADE), seed=3)
    made = {overlap: _make(reader, masks, overlap, num_steps) for overlap in (0.0, 0.25, 0.5)}
    text = _text(read, made, _seam_of(masks), model, num_canvases, num_made, num_steps)
    return Report(text, _plot(reader, shifted, masks, made))


def _model(run: str, changes: Mapping[str, Any] | None) -> tuple[Experiment, Weights, str]:
    """Experiment and weights of a run, or of a training, and what they are."""
    if run:
        model = load(run)
        return model.experiment, model.weights, f"the run in `{run}`, {model.step} steps"
    settings = SETTINGS | dict(changes or {})
    experiment = training.experiment_of("configs/shapes.py", settings)
    words = training.in_words(settings)
    return experiment, _trained(experiment), f"`configs/shapes.py` with {words}"


def _trained(experiment: Experiment) -> Weights:
    """Averaged weights of a training; raises FloatingPointError if a loss is not finite."""
    optimizer, seed = experiment.optimizer, experiment.seed
    step = make_train_step(
        experiment.method,
        optimizer,
        loss_weights=experiment.loss_weights,
        ema_decay=experiment.train.ema_decay,
    )
    advance = jax.jit(step, donate_argnums=0)
    init = jax.jit(lambda key: create_train_state(experiment.method, optimizer, key))
    state, key = init(keys.of_seed(seed, Stream.INIT)), keys.of_seed(seed, Stream.TRAINING)
    batches = experiment.training_batches()
    for number in range(1, experiment.num_steps + 1):
        state, metrics = advance(state, None, next(batches), key)
        if number % 100 == 0 or number == experiment.num_steps:
            loss = float(metrics["loss"])
            if not np.isfinite(loss):
                raise FloatingPointError(f"The loss is {loss} after {number} steps.")
            _logger.info("step %d/%d  loss %.4f", number, experiment.num_steps, loss)
    return Weights(state.ema_params)


def _noise(number: int) -> tuple[jax.Array, int]:
    return keys.of_seed(0, Stream.EVALUATION), number


def _masks(reader: Reader, images: np.ndarray, view: View) -> tuple[np.ndarray, float]:
    """Masks of images, int32 `[count, height, width]`, and the passes for each."""
    readings = list(reader.read(list(images), _noise, view, euler(1)))
    passes = float(np.mean([reading.nfe for reading in readings]))
    return np.stack([reading.labels for reading in readings]), passes


def _read(reader: Reader, given: Scenes, view: View) -> Read:
    found, passes = _masks(reader, given.images, view)
    miou = _mean_iou(reader, given.masks, found)
    lines = scenes.window_lines(found.shape[1])
    at_seams, elsewhere = np.nan, np.nan
    if len(lines):
        at_seams, elsewhere = scenes.error_at_lines(found != given.masks, lines)
    _logger.info("%s: mIoU %.3f", view, miou)
    return Read(miou, passes, at_seams, elsewhere)


def _mean_iou(reader: Reader, masks: np.ndarray, found: np.ndarray) -> float:
    counts = ConfusionMatrix.from_masks(masks, found, reader.num_classes)
    return confusion.mean_iou(counts.compute())


def _make(reader: Reader, given: Scenes, overlap: float, num_steps: int) -> Made:
    """Images of masks by joint windows."""
    view = View("tiles", canvas.tiled, overlap=overlap)
    images = np.stack(
        [
            generate_on_canvas(
                reader.method, reader.weights, mask, _noise(i), view, euler(num_steps)
            )
            for i, mask in enumerate(given.masks)
        ]
    )
    found, _ = _masks(reader, images, VIEWS[HALF])
    made = Made(
        images, _seam_of(Scenes(images, given.masks)), _mean_iou(reader, given.masks, found)
    )
    _logger.info("overlap %g: seam %.3f, agreement %.3f", overlap, made.seam, made.agreement)
    return made


def _seam_of(given: Scenes) -> float:
    """The gradient across the borders of windows without overlap over that elsewhere."""
    return scenes.seam(given, scenes.window_lines(given.images.shape[1]))


def _text(
    read: Mapping[str, Read],
    made: Mapping[float, Made],
    seam_of_real: float,
    model: str,
    num_canvases: int,
    num_made: int,
    num_steps: int,
) -> str:
    rows = [
        [name, f"{r.miou:.3f}", f"{r.nfe:g}", _share(r.at_seams), _share(r.elsewhere)]
        for name, r in read.items()
    ]
    table = markdown.table(["read", "mIoU", "passes", "wrong at seams", "elsewhere"], rows)
    made_rows = [
        [f"{overlap:g}", f"{m.seam:.3f}", f"{m.agreement:.3f}"] for overlap, m in made.items()
    ]
    made_table = markdown.table(["overlap", "gradient at seams / elsewhere", "mIoU"], made_rows)
    side = ACROSS * SIDE
    return f"""# Canvases: images larger than the model's

{num_canvases} canvases of {ACROSS}x{ACROSS} scenes ({side}x{side} pixels), shifted by half a
window, read in one step by a model of {SIDE}x{SIDE} pixels. "At seams" is within 2 pixels of the
borders of windows without overlap.

{table}

## Images of large masks

{num_made} images of masks of {ACROSS_MADE}x{ACROSS_MADE} scenes, rolled by random numbers of
pixels, by joint windows, {num_steps} Euler steps. The gradient at seams is between pixels of one
class across the borders of windows without overlap; that of the drawn scenes is
{seam_of_real:.3f}. The mIoU is that of the images' masks, read by the same model.

{made_table}

{_gates(read, made)}

The model: {model}."""


def _share(value: float) -> str:
    return f"{value:.4f}" if np.isfinite(value) else ""


def _gates(read: Mapping[str, Read], made: Mapping[float, Made]) -> str:
    def miou(name: str) -> float:
        return read[name].miou

    gates: dict[str, Callable[[], bool]] = {
        f"{HALF}: at least {LEAST}": lambda: miou(HALF) >= LEAST,
        f"{HALF}: at least {GAIN} above no overlap": lambda: miou(HALF) >= miou(NONE) + GAIN,
        f"{WHOLE}: within {CLOSE} of windows": lambda: abs(miou(WHOLE) - miou(HALF)) <= CLOSE,
        f"control, {SHRUNK}: at most {MOST_SHRUNK}": lambda: miou(SHRUNK) <= MOST_SHRUNK,
        f"control, {ALIGNED}: within {ALIKE} of single scenes": lambda: (
            abs(miou(ALIGNED) - miou(SINGLE)) <= ALIKE
        ),
        f"gradient at seams of overlap 0.5: at most {MOST_SEAM}": lambda: (
            made[0.5].seam <= MOST_SEAM
        ),
        "control, gradient at seams without overlap: above that": lambda: (
            made[0.0].seam > max(MOST_SEAM, made[0.5].seam)
        ),
    }
    return "\n".join(
        f"- {name}: {'holds' if holds() else 'DOES NOT HOLD'}" for name, holds in gates.items()
    )


def _plot(reader: Reader, shifted: Scenes, masks: Scenes, made: Mapping[float, Made]) -> np.ndarray:
    """A canvas and its masks by three views above; a mask and its images below."""
    colours = np.asarray(
        ((40, 40, 40), (230, 90, 70), (90, 170, 230), (120, 200, 110), (230, 200, 90))
    )
    first = shifted.images[:1]
    above = {"a canvas": first[0], "its mask": colours[shifted.masks[0]]}
    above |= {
        name: colours[_masks(reader, first, VIEWS[name])[0][0]] for name in (SHRUNK, NONE, HALF)
    }
    below = {"a mask": colours[masks.masks[0]], "its drawn scenes": masks.images[0]}
    below |= {f"made, overlap {overlap:g}": m.images[0] for overlap, m in made.items()}
    plt = plots.pyplot()
    figure, axes = plt.subplots(2, 5, figsize=(15, 6.4))
    for axis, (title, picture) in zip(axes.flat, (above | below).items(), strict=True):
        axis.imshow(picture)
        axis.set_title(title, fontsize=9)
        axis.set_axis_off()
    return plots.render(figure)
