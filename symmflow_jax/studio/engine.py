"""What the studio asks of a model, one picture at a time."""

import functools
import http
import time
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple, TypeVar

import jax
import numpy as np

from symmflow_jax.data.geometry.canvas import View
from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.inference.canvas import editing
from symmflow_jax.inference.canvas.editing import Photo
from symmflow_jax.inference.editing import Keep
from symmflow_jax.inference.model import Model
from symmflow_jax.methods import editing as method_editing
from symmflow_jax.methods.editing import Editing, Origin
from symmflow_jax.studio.jobs import Progress
from symmflow_jax.studio.refusal import Refusal
from symmflow_jax.studio.settings import Settings

_SOLVER = "euler"
_NUM_VOTES = 8
"""Draws of noise for a label."""

T = TypeVar("T")


class Reading(NamedTuple):
    """What a model sees in a photo.

    Attributes:
        classes: int32 `[height, width]`, in the size of the photo.
        confidence: float32 in [0, 1], shaped as the classes.
    """

    classes: np.ndarray
    confidence: np.ndarray


class Ranking(NamedTuple):
    """How likely each label is.

    Attributes:
        shares: float `[classes]`, which add to 1.
        are_votes: True if these are shares of votes of `_NUM_VOTES` draws, False for probabilities.
    """

    shares: np.ndarray
    are_votes: bool


class Engine:
    """A model as the studio uses it.

    Args:
        model: a model of images with masks or labels.
        view: how photos are shown to a model of masks; None for as the run was trained.

    Raises:
        ValueError: for a model of points, or of images alone.
    """

    def __init__(self, model: Model, view: View | None = None):
        if len(model.image_shape) != 3:
            raise ValueError(
                f"This model makes points of {model.image_shape[0]} numbers, and the studio shows "
                "images; give the --workdir of a model of images."
            )
        if model.method.is_unconditional:
            raise ValueError(
                "This model was trained on images alone (config.train.clock='unconditional'), "
                "without masks or labels to paint; give the --workdir of another one."
            )
        self._model = model
        self._view = model.view() if view is None and model.reads_masks else view
        self._seconds: dict[Hashable, float] = {}
        self._fault = _fault_of_editing(model)

    @property
    def model(self) -> Model:
        """The model."""
        return self._model

    @property
    def knows_unknown(self) -> bool:
        """True if pixels of a mask may be without a class."""
        return self._model.reads_masks and bool(self._model.schema.unknown_ids)

    def about(self) -> dict[str, Any]:
        """What the page needs to know, as plain values."""
        model, schema = self._model, self._model.schema
        height, width, channels = model.image_shape
        return {
            "reads_masks": model.reads_masks,
            "classes": [
                {"name": name, "colour": list(colour), "is_ignored": number in schema.ignored}
                for number, (name, colour) in enumerate(
                    zip(schema.names, schema.palette, strict=True)
                )
            ],
            "height": height,
            "width": width,
            "channels": channels,
            "knows_unknown": self.knows_unknown,
            "can_edit": model.reads_masks and not self._fault,
            "why_not": self._fault,
            "can_guide": not self._fault,
            "step": model.step,
        }

    def read(self, pixels: np.ndarray, progress: Progress) -> Reading:
        """Reads the mask of a photo, uint8 `[height, width, 3]`, in one step."""

        def run():
            return next(self._model.read_masks([pixels], jax.random.key(0), self._view))

        found = self._timed(("read",), progress, 0.0, "Reading the photo", run)
        return Reading(found.labels, found.confidence)

    def edit(
        self,
        pixels: np.ndarray,
        source: np.ndarray,
        classes: np.ndarray,
        region: np.ndarray | None,
        settings: Settings,
        progress: Progress,
    ) -> list[np.ndarray]:
        """Edits a photo towards new classes; each variant is a stage of the progress.

        Args:
            pixels: uint8 `[height, width, 3]`.
            source: the old classes, int32 `[height, width]`.
            classes: the new ones.
            region: bool `[height, width]`: what is made anew from noise, where the rest is kept;
                None to follow the settings.
            settings: how.
            progress: is told of each variant.

        Returns:
            uint8 `[height, width, 3]` of each variant.

        Raises:
            Refusal: if the model cannot edit.
        """
        if self._fault:
            raise Refusal(self._fault, http.HTTPStatus.CONFLICT)
        origin = settings.origin if region is None else Origin.NOISE
        how = Editing(origin=origin, guidance=Guidance(weight=settings.guidance))
        rule = Keep.UNCHANGED if settings.keeps_unchanged else Keep.NONE
        solve = self._model.experiment.solver(_SOLVER, settings.num_steps)
        kept = None if region is None else ~region
        photo = Photo(pixels, classes, source, kept)

        def make(seed: int) -> np.ndarray:
            (made,) = editing.edit_photos(
                self._model, [photo], _key(seed), solve, keep=rule, editing=how, view=self._view
            )
            return _in_colour(made.image)

        kind = ("edit", origin, settings.num_steps, settings.guidance, photo.size)
        return self._variants(kind, settings, progress, make)

    def generate(
        self, condition: np.ndarray, settings: Settings, progress: Progress
    ) -> list[np.ndarray]:
        """Generates images of a mask in the model's size, or of a label.

        Args:
            condition: int32 `[height, width]`, or a scalar.
            settings: how.
            progress: is told of each variant.

        Returns:
            uint8 `[height, width, 3]` of each variant, in the model's size.

        Raises:
            ValueError: if guidance is asked for but the network has one clock.
        """
        guidance = Guidance(weight=settings.guidance)

        def make(seed: int) -> np.ndarray:
            made = self._model.generate(
                condition[None], _key(seed), settings.num_steps, _SOLVER, guidance
            )
            return _in_colour(np.asarray(made)[0])

        kind = ("generate", settings.num_steps, settings.guidance)
        return self._variants(kind, settings, progress, make)

    def classify(self, pixels: np.ndarray, progress: Progress) -> Ranking:
        """Says how likely each label of a picture, uint8 `[height, width, 3]`, is."""
        copies = np.repeat(self._model.fitted(pixels)[None], _NUM_VOTES, axis=0)

        def run():
            return self._model.predict_semantics(copies, jax.random.key(0))

        found = self._timed(("classify",), progress, 0.0, "Reading the picture", run)
        if found.probabilities is not None:
            return Ranking(np.mean(np.asarray(found.probabilities), axis=0), are_votes=False)
        num_classes = self._model.schema.num_classes
        votes = np.bincount(np.asarray(found.labels), minlength=num_classes)
        return Ranking(votes / _NUM_VOTES, are_votes=True)

    def _variants(
        self,
        kind: Hashable,
        settings: Settings,
        progress: Progress,
        make: Callable[[int], np.ndarray],
    ) -> list[np.ndarray]:
        made, total = [], settings.num_variants
        for number, seed in enumerate(settings.seeds):
            what = f"Making picture {number + 1} of {total}" if total > 1 else "Making the picture"
            made.append(
                self._timed(kind, progress, number / total, what, functools.partial(make, seed))
            )
        return made

    def _timed(
        self, kind: Hashable, progress: Progress, share: float, text: str, run: Callable[[], T]
    ) -> T:
        """Runs a stage and remembers how long its kind takes; the first time is a compilation."""
        is_first = kind not in self._seconds
        note = " (with these settings for the first time: compiling)" if is_first else ""
        progress(share, text + note, self._seconds.get(kind) or None)
        begin = time.monotonic()
        made = jax.block_until_ready(run())
        self._seconds[kind] = 0.0 if is_first else time.monotonic() - begin
        return made


def _fault_of_editing(model: Model) -> str:
    """Why a model cannot edit; "" if it can."""
    try:
        method_editing.check(model.method, model.experiment.solver(_SOLVER, 1))
    except ValueError as error:
        return str(error)
    return ""


def _key(seed: int) -> jax.Array:
    """The key of the first file of a command, so that the command repeats a picture."""
    return jax.random.fold_in(jax.random.key(seed), 0)


def _in_colour(image: np.ndarray) -> np.ndarray:
    """A grey or coloured image in three channels."""
    return np.repeat(image, 3, axis=-1) if image.shape[-1] == 1 else image
