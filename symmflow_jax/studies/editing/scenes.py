"""Editing of drawn scenes, by a network: every shape of a scene moves to the right."""

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import ndimage

from symmflow_jax.data.batch import Pixels
from symmflow_jax.data.sources.synthetic.shapes import Shapes
from symmflow_jax.flow import keys
from symmflow_jax.flow.editing.known import Langevin, RePaint, Replacement
from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.flow.keys import Stream
from symmflow_jax.flow.solvers import fixed_steps
from symmflow_jax.flow.solvers.adaptive import DormandPrince
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.inference import editing
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.inference.editing import Keep, Source
from symmflow_jax.inference.loading import load
from symmflow_jax.inference.model import Model
from symmflow_jax.methods import editing as method_editing
from symmflow_jax.methods.editing import Editing, Origin
from symmflow_jax.methods.weights import Weights
from symmflow_jax.metrics import confusion
from symmflow_jax.metrics.confusion import ConfusionMatrix
from symmflow_jax.runs.pictures import grids
from symmflow_jax.runtime.compilation import jit_once
from symmflow_jax.runtime.storage import place
from symmflow_jax.semantics.planes import HALF_RANGE
from symmflow_jax.studies import training
from symmflow_jax.studies.editing.mixture import RoundTrip
from symmflow_jax.training.state import create_train_state
from symmflow_jax.training.train_step import make_train_step

_logger = logging.getLogger("symmflow_jax.studies.editing")

NUM_SCENES, NUM_STEPS, SHIFT = 32, 25, 5
NEAR = 2
"""Pixels around a change, which no method should have to keep."""

SETTINGS: dict[str, Any] = {"train.num_epochs": 0.25}
"""Changes of `configs/shapes.py` for the study's own network."""


class Variant(NamedTuple):
    """A way to edit.

    Attributes:
        editing: how to edit.
        source: where the old mask comes from; None for the true one.
        keep: what to keep.
    """

    editing: Editing = method_editing.FROM_PHOTO
    source: Source | None = None
    keep: Keep = Keep.NONE


GENERATED, SAME, EDITED, KEPT, REPLACED, SETTLED = (
    "generated from the new mask",
    "FlowEdit, the same mask",
    "FlowEdit",
    "FlowEdit, unchanged pixels kept",
    "from noise, known pixels replaced",
    "from noise, Langevin",
)


def _from_noise(filling: Any) -> Variant:
    return Variant(Editing(Origin.NOISE, filling=filling), keep=Keep.UNCHANGED)


VARIANTS: dict[str, Variant] = {
    SAME: Variant(),
    EDITED: Variant(),
    "FlowEdit, old mask read by the model": Variant(source=Source.READ),
    "FlowEdit, no old mask": Variant(source=Source.NONE),
    "FlowEdit, guidance 2": Variant(Editing(guidance=Guidance(2.0))),
    "FlowEdit from t = 0.3": Variant(Editing(start=0.3)),
    "inversion": Variant(Editing(Origin.INVERSION)),
    KEPT: Variant(keep=Keep.UNCHANGED),
    REPLACED: _from_noise(Replacement()),
    "from noise, RePaint": _from_noise(RePaint(5)),
    SETTLED: _from_noise(Langevin(5)),
}
"""Ways to edit, by their names in the report."""

AGREEMENT, RMSE, AT_KEPT, BORDER, PASSES = (
    "agreement with the new mask",
    "RMSE away from the change",
    "RMSE where the mask stays",
    "step across the border",
    "passes",
)
COLUMNS = (AGREEMENT, RMSE, AT_KEPT, BORDER, PASSES)


class Scenes(NamedTuple):
    """Scenes and their new masks.

    Attributes:
        images: uint8 `[count, height, width, 3]`.
        old, new: int32 `[count, height, width]`.
    """

    images: np.ndarray
    old: np.ndarray
    new: np.ndarray


def draw(count: int, seed: int = 0) -> Scenes:
    """Scenes whose shapes all move to the right, over background that comes in from the left."""
    source = Shapes(count, "test", seed)
    examples = [source[index] for index in range(count)]
    old = np.stack([example["mask"] for example in examples])
    new = np.zeros_like(old)
    new[:, :, SHIFT:] = old[:, :, :-SHIFT]
    return Scenes(np.stack([example["image"] for example in examples]), old, new)


def model_of(run: str, changes: Mapping[str, Any] | None = None) -> Model:
    """The model of a run, or of a short training if `run` is empty.

    Raises:
        ValueError: if the run knows no masks, or its images have another size than the scenes.
    """
    model = load(place.place(run, "--run")) if run else train(changes)
    if not model.reads_masks or model.image_shape != (32, 32, 3):
        raise ValueError(
            f"--run={run} is of images {model.image_shape}, not of the scenes of "
            "configs/shapes.py; give a run of that config."
        )
    return model


def train(changes: Mapping[str, Any] | None = None) -> Model:
    """Trains a network on scenes, without checkpoints.

    Raises:
        FloatingPointError: if the loss is not finite at the end.
    """
    experiment = training.experiment_of("configs/shapes.py", SETTINGS | dict(changes or {}))
    method, optimizer = experiment.method, experiment.optimizer
    step = jax.jit(
        make_train_step(
            method,
            optimizer,
            loss_weights=experiment.loss_weights,
            ema_decay=experiment.train.ema_decay,
        ),
        donate_argnums=0,
    )
    init_key, key = (
        keys.of_seed(experiment.seed, stream) for stream in (Stream.INIT, Stream.TRAINING)
    )
    state = jit_once(lambda key: create_train_state(method, optimizer, key))(init_key)
    batches = experiment.training_batches()
    loss = jnp.nan
    for number in range(experiment.num_steps):
        state, metrics = step(state, None, next(batches), key)
        loss = metrics["loss"]
        if number % 100 == 99:
            _logger.info("step %d/%d  loss %.4f", number + 1, experiment.num_steps, loss)
    if not np.isfinite(loss):
        raise FloatingPointError("The loss of the scenes was not finite; give a run by --run.")
    return Model(experiment, Weights(state.ema_params), experiment.num_steps)


def edited(model: Model, scenes: Scenes, variant: Variant, new: np.ndarray) -> editing.Edited:
    """The scenes edited in one way; the noise is the same in all of them."""
    return editing.edit(
        model,
        Pixels(scenes.images),
        new,
        jax.random.key(0),
        fixed_steps.euler(NUM_STEPS),
        source=scenes.old if variant.source is None else variant.source,
        keep=variant.keep,
        editing=variant.editing,
    )


Row = dict[str, float]
"""Scores by column."""


def table(model: Model, scenes: Scenes) -> dict[str, Row]:
    """Scores of all ways to edit, and of images that are generated from the new masks alone."""
    made = predictions.generate(
        model.method,
        model.weights,
        jax.random.key(0),
        jnp.arange(len(scenes.new)),
        scenes.new,
        fixed_steps.euler(NUM_STEPS),
    )
    rows = {GENERATED: _scores(model, scenes, scenes.new, np.asarray(made.images), made.nfe)}
    for name, variant in VARIANTS.items():
        new = scenes.old if name == SAME else scenes.new
        found = edited(model, scenes, variant, new)
        rows[name] = _scores(model, scenes, new, found.images, found.nfe)
        _logger.info("%s: %s", name, {key: round(value, 3) for key, value in rows[name].items()})
    return rows


def _scores(model: Model, scenes: Scenes, new: np.ndarray, images: np.ndarray, nfe: Any) -> Row:
    read = predictions.predict_semantics(
        model.method,
        model.weights,
        jax.random.key(1),
        jnp.arange(len(images)),
        Pixels(images),
        fixed_steps.euler(1),
    )
    counts = ConfusionMatrix.from_masks(new, np.asarray(read.labels), model.schema.num_classes)
    changed = new != scenes.old
    away = ~np.stack([ndimage.binary_dilation(one, iterations=NEAR) for one in changed])
    return {
        AGREEMENT: confusion.mean_iou(counts.compute(), model.schema.ignored),
        RMSE: rmse(images, scenes.images, away),
        AT_KEPT: rmse(images, scenes.images, ~changed),
        BORDER: border(images, scenes.images, new, changed),
        PASSES: float(np.mean(nfe)),
    }


def rmse(images: np.ndarray, others: np.ndarray, where: np.ndarray) -> float:
    """Root mean square difference in units of signals, in [-1, 1], over some of the pixels."""
    difference = (images.astype(np.float64) - others) / HALF_RANGE
    return float(np.sqrt(np.mean(np.square(difference)[where])))


def border(images: np.ndarray, photos: np.ndarray, mask: np.ndarray, changed: np.ndarray) -> float:
    """The mean step between neighbours across the border of a region, over that in the photos.

    Only neighbours of one class count, because edges of shapes are steps in any image. NaN if the
    region has no such border.

    Args:
        images, photos: uint8 `[count, height, width, 3]`.
        mask: classes `[count, height, width]`.
        changed: the region, bool `[count, height, width]`.
    """
    across, anywhere = [], []
    for axis in (1, 2):
        steps, in_photos = (
            np.abs(np.diff(pixels.astype(np.float64), axis=axis)).mean(axis=-1)
            for pixels in (images, photos)
        )
        same = np.diff(mask, axis=axis) == 0
        across.append(steps[same & np.diff(changed, axis=axis)])
        anywhere.append(in_photos[same])
    steps, of_photos = np.concatenate(across), np.concatenate(anywhere)
    return float(steps.mean() / of_photos.mean()) if steps.size else float("nan")


ROUND_TRIPS: dict[str, list[Solve]] = {
    "euler": [fixed_steps.euler(n) for n in (10, 25, 50, 100)],
    "heun": [fixed_steps.heun(n) for n in (5, 12, 25, 50)],
    "dopri5": [DormandPrince(tolerance) for tolerance in (1e-2, 1e-3)],
}
"""Solvers of the way to noise and back, by name."""


def round_trips(model: Model, scenes: Scenes) -> dict[str, list[RoundTrip]]:
    """Scenes that go to noise and back beside their masks, by solver; in 8-bit levels again."""
    found: dict[str, list[RoundTrip]] = {}
    for name, solvers in ROUND_TRIPS.items():
        for solve in solvers:
            back = predictions.invert_and_return(
                model.method,
                model.weights,
                jax.random.key(0),
                jnp.arange(len(scenes.old)),
                Pixels(scenes.images),
                scenes.old,
                solve,
            )
            images = np.asarray(back.images)
            error = rmse(images, scenes.images, np.ones(scenes.old.shape, bool))
            found.setdefault(name, []).append(RoundTrip(float(np.mean(back.nfe)), error))
    return found


def refusal() -> str:
    """What is said to a run of one clock that is to be edited; "" if nothing is."""
    tied = training.experiment_of(
        "configs/shapes.py", {"train.clock": "tied", "train.prob_at_one": 0.0}
    )
    try:
        method_editing.check(tied.method, fixed_steps.euler(1))
    except ValueError as error:
        return str(error)
    return ""


def picture(model: Model, scenes: Scenes) -> np.ndarray:
    """A grid: scene, mask, new mask, generated, edited, edited with unchanged pixels kept."""
    count = len(scenes.images)
    generated = predictions.generate(
        model.method,
        model.weights,
        jax.random.key(0),
        jnp.arange(count),
        scenes.new,
        fixed_steps.euler(NUM_STEPS),
    ).images
    columns = {
        "photo": scenes.images,
        "mask": model.schema.colourize(scenes.old),
        "new mask": model.schema.colourize(scenes.new),
        "generated": np.asarray(generated),
        "edited": edited(model, scenes, VARIANTS[EDITED], scenes.new).images,
        "kept": edited(model, scenes, VARIANTS[KEPT], scenes.new).images,
    }
    return grids.tiles(
        [
            [(name if index == 0 else "", images[index]) for name, images in columns.items()]
            for index in range(count)
        ]
    )
