"""A trained model: what it makes, reads and edits; `loading.load` opens one."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.schema import ranges
from symmflow_jax.data.geometry.canvas import View
from symmflow_jax.flow.guidance import NO_GUIDANCE, Guidance
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.flow.state import JointState
from symmflow_jax.inference import batched, editing as editing_lib, generation, photo_edits
from symmflow_jax.inference.batched import BATCH_SIZE
from symmflow_jax.inference.canvas.reading import MaskReading, Picture, Reader, reader_of
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.inference.compiled.predictions import Sample, SemanticsPrediction
from symmflow_jax.inference.editing import Edited, Keep, Source
from symmflow_jax.inference.given.arrays import (
    checked_conditions,
    checked_images,
    checked_region,
)
from symmflow_jax.inference.given.conditions import check_view
from symmflow_jax.inference.given.examples import fitted_images, given_points
from symmflow_jax.inference.given.images import given_images
from symmflow_jax.inference.given.keys import Key, as_key
from symmflow_jax.inference.results.classification import Classifications
from symmflow_jax.inference.results.description import describe
from symmflow_jax.inference.results.segmentation import Segmentations
from symmflow_jax.methods import requirements
from symmflow_jax.methods.editing import FROM_PHOTO, Editing
from symmflow_jax.methods.symmflow import Sampled, SymmFlow
from symmflow_jax.methods.weights import Weights
from symmflow_jax.runtime import tracebacks
from symmflow_jax.semantics.kinds import SemanticsKind
from symmflow_jax.semantics.labels import LabelSchema


@dataclasses.dataclass(frozen=True, repr=False)
class Model:
    """A network with its averaged weights, its classes and its settings.

    `segment`, `classify` and `generate` take what users have: files, folders, Pillow images, and
    arrays of any size. `predict_semantics` and `generate_arrays` take arrays of exactly the
    model's size (`image_shape`): images uint8 in 0..255 or float in [-1, 1], `[batch, height,
    width, channels]`, and points float `[batch, n]`.

    Classes are numbered 0..n-1; `schema` gives their names, colours and ids in the data set's
    files. A key is one of `jax.random.key`, or a seed.

    Attributes:
        experiment: the run's config, classes and method.
        weights: averaged parameters of the network, and parameters of the codec.
        step: number of training steps of these weights.
        train_seconds: time of these steps, or None if the checkpoint does not tell it.
        native_scale: pixels of the model for each pixel of an image of the training; None for
            points, and in runs of earlier versions.
        name: where the model was loaded from.
    """

    experiment: Experiment
    weights: Weights
    step: int
    train_seconds: float | None = None
    native_scale: float | None = None
    name: str = ""

    @property
    def schema(self) -> LabelSchema:
        """The classes."""
        return self.experiment.schema

    @property
    def method(self) -> SymmFlow:
        """The method."""
        return self.experiment.method

    @property
    def image_shape(self) -> tuple[int, ...]:
        """`(height, width, channels)`, or `(n,)` for points."""
        return self.method.codec.image_shape

    @property
    def reads_masks(self) -> bool:
        """True for a model that segments, False for one that classifies."""
        return self.experiment.kind is SemanticsKind.MASK

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each class."""
        return self.schema.names

    @property
    def num_parameters(self) -> int:
        """Number of parameters of the velocity network."""
        return sum(leaf.size for leaf in jax.tree.leaves(self.weights.network))

    def __repr__(self) -> str:
        learned = "" if self.method.is_unconditional else f"{self.experiment.kind.value}s"
        return describe(
            self.experiment.to_json(),
            place=self.name,
            learned=learned,
            dataset=self.experiment.dataset,
            image_shape=self.image_shape,
            names=self.names,
            num_parameters=self.num_parameters,
            step=self.step,
        )

    @tracebacks.short
    def generate(
        self,
        conditions: Any,
        key: Key = 0,
        num_steps: int = 25,
        solver: str = "euler",
        guidance: Guidance = NO_GUIDANCE,
        batch_size: int = BATCH_SIZE,
        **view: Any,
    ) -> Any:
        """Generates images from masks or labels.

        Args:
            conditions: one or several of what `given.conditions` names. Masks are files, folders,
                Pillow images, results of `segment`, or integer arrays `[height, width]` of any
                size. Pixels that are not known are -1, if the model has learned from such masks
                (`schema.unknown_ids`); what they show is made up. Labels are numbers or names of
                classes.
            key: origin of the noise.
            num_steps: steps of the solver.
            solver: a name of `SOLVERS` (docs/choices.md), such as "euler" or "heun"; the adaptive
                "dopri5" ignores `num_steps`, and "flow_map" needs a network that has learned to
                jump (`train.objective`).
            guidance: classifier-free guidance towards the conditions; none by default.
            batch_size: images that are made at once; another one compiles again.
            **view: how masks are shown, the arguments of `view` by name: `fit="tiles"` makes images
                of the size of their masks, which may be larger than the model's, one at a time. By
                default they have the model's size and the geometry of the training.

        Returns:
            a Pillow image for one condition, and a list of them for several, which `np.asarray`
            makes an array. Points are float32 `[n]` or `[batch, n]`.

        Raises:
            DataError: if there is no condition, or a file cannot be read or has unknown ids.
            ValueError: if the conditions have another shape or dtype, or are no classes of the
                model; if there is no such solver; if `num_steps` is no positive whole number; or
                if the guidance has a weight but the network has one clock for both components.
        """
        requirements.require_conditional(
            self.method, "generate() makes images of", "use sample(what=Sampled.IMAGES)"
        )
        options = key, num_steps, solver, guidance, batch_size
        if self.reads_masks:
            return generation.from_masks(self, conditions, *options, view)
        check_view(view, reads_masks=self.reads_masks)
        return generation.from_labels(self, conditions, *options)

    @tracebacks.short
    def generate_arrays(
        self,
        conditions: Any,
        key: Key,
        num_steps: int = 25,
        solver: str = "euler",
        guidance: Guidance = NO_GUIDANCE,
    ) -> np.ndarray:
        """Generates arrays from arrays of the model's size; other arguments as in `generate`.

        Args:
            conditions: int `[batch, height, width]` masks, or int `[batch]` labels.
            key, num_steps, solver, guidance: as in `generate`.

        Returns:
            uint8 images `[batch, height, width, channels]`, or float32 points `[batch, n]`.

        Raises:
            ValueError: as `generate`.
        """
        requirements.require_conditional(
            self.method, "generate() makes images of", "use sample(what=Sampled.IMAGES)"
        )
        conditions = self._checked_conditions(conditions)
        options = key, num_steps, solver, guidance, len(conditions)
        return np.stack(generation.arrays(self, conditions, *options))

    @tracebacks.short
    def sample(
        self,
        num_samples: int,
        key: Key = 0,
        num_steps: int = 25,
        solver: str = "euler",
        what: Sampled = Sampled.PAIRS,
    ) -> Sample:
        """Generates images, masks or labels, or pairs of both, from noise alone.

        Args:
            num_samples: number of samples.
            key: origin of the noise.
            num_steps: steps of the solver.
            solver: as in `generate`.
            what: `Sampled.IMAGES`, `SEMANTICS` or `PAIRS`.

        Returns:
            uint8 images `[num_samples, height, width, channels]` (or float32 points
            `[num_samples, n]`) and int32 masks or labels; None for the one that `what` leaves out.

        Raises:
            ValueError: if the network has one clock for both components; if there is no such
                solver; or if `num_samples` or `num_steps` is no positive whole number.
        """
        ranges.check_count("num_samples", num_samples)
        if what is not Sampled.IMAGES:
            requirements.require_conditional(
                self.method, "There are no", "sample images alone (--what=images)"
            )
        solve = self.solver(solver, num_steps)
        return predictions.sample(
            self.method, self.weights, as_key(key), jnp.arange(num_samples), solve, what
        )

    @tracebacks.short
    def segment(
        self,
        images: Any,
        key: Key = 0,
        num_steps: int = 1,
        solver: str = "euler",
        ensemble_size: int = 1,
        min_confidence: float = 0.0,
        probabilities: bool = False,
        **view: Any,
    ) -> Any:
        """Predicts the masks of images of any size.

        Args:
            images: one image: a file, a Pillow image, or an array `[height, width]` or `[height,
                width, channels]`; or several: a folder, an array `[batch, height, width,
                channels]`, or a list of single ones. Arrays are uint8, or float in [-1, 1].
            key: origin of the noise.
            num_steps: steps of the solver.
            solver: as in `generate`.
            ensemble_size: number of noise samples for each image; their predictions vote.
            min_confidence: bound in [0, 1]; pixels with a lower confidence are -1.
            probabilities: whether results have the probabilities of all classes.
            **view: how images are read, the arguments of `view` by name: `fit="tiles"`, `overlap`,
                `flips`, `scale`, `scales`; by default in the geometry of the training.

        Returns:
            a `Segmentation` for one image, and a list of them for several (`Segmentations`);
            `np.asarray` makes masks of them.

        Raises:
            DataError: if there is no image, or one cannot be read.
            ValueError: if the model classifies; if an array has another shape, dtype or range; if
                there is no such solver; if a count is no positive whole number; if
                `min_confidence` is out of its range; or if there are no probabilities.
        """
        if not self.reads_masks:
            raise ValueError("This model reads labels, not masks; use classify().")
        predictions.check_min_confidence(min_confidence)
        if probabilities:
            requirements.require_probabilities(self.method, "probabilities")
        given = given_images(images, self.image_shape[-1], self.experiment.photos)
        readings = self.read_masks(
            (item.pixels() for item in given.items),
            key,
            self.view(**view),
            num_steps,
            solver,
            ensemble_size,
            with_probabilities=probabilities,
        )
        found = zip(given.items, readings, strict=True)
        return given.as_given(Segmentations.of(found, self.schema, min_confidence))

    def view(
        self,
        fit: str = "",
        overlap: float | None = None,
        flips: bool = False,
        scale: float | None = None,
        scales: Sequence[float] | None = None,
    ) -> View:
        """How `read_masks` reads images of any size; see docs/any_size.md.

        Args:
            fit: a name of `VIEWS` (docs/choices.md), such as "tiles"; "" takes that of the run.
            overlap: share of a window that the next one covers, in [0, 0.9]; 0.5 by default.
            flips: whether mirror images are read too, and the answers averaged.
            scale: pixels of the model for each pixel of an image; the run's own by default.
            scales: factors of the scale at which images are read, and the answers averaged.

        Raises:
            ValueError: if there is no such fit, it does not use an option that is given, a value
                is out of its range, or the scale is not known.
        """
        return self.experiment.view(
            self.native_scale, fit=fit, overlap=overlap, flips=flips, scale=scale, scales=scales
        )

    def read_masks(
        self,
        images: Iterable[Picture],
        key: Key = 0,
        view: View | None = None,
        num_steps: int = 1,
        solver: str = "euler",
        ensemble_size: int = 1,
        with_probabilities: bool = False,
    ) -> Iterator[MaskReading]:
        """Yields the masks of images of any sizes, in order and in each image's own size.

        Args:
            images: Pillow images, or arrays `[height, width, channels]`, uint8 or float in [-1, 1].
            key: origin of the noise; image i of the model's size has that of `predict_semantics`.
            view: how they are read; by default as the run was trained.
            num_steps, solver, ensemble_size: as in `segment`.
            with_probabilities: whether readings have the probabilities of the classes.

        Raises:
            ValueError: if the model classifies; if an image cannot be read by this view; or as in
                `segment`.
        """
        ranges.check_count("ensemble_size", ensemble_size)
        random_key = as_key(key)
        return self.reader.read(
            images,
            lambda number: (random_key, number),
            view or self.view(),
            self.solver(solver, num_steps),
            ensemble_size,
            with_probabilities=with_probabilities,
        )

    @property
    def reader(self) -> Reader:
        """What reads masks of images of any size; raises ValueError if the model classifies."""
        requirements.require_conditional(self.method, "It predicts no", "it can sample images")
        if not self.reads_masks:
            raise ValueError("This model reads labels, not masks; use classify().")
        return reader_of(self.experiment, self.weights)

    def fitted(self, picture: Picture) -> np.ndarray:
        """A picture of any size in the model's size and geometry, uint8 `[*image_shape]`.

        Args:
            picture: a Pillow image or uint8 `[height, width, channels]`.
        """
        return self.experiment.preparation.fitted(picture)

    @tracebacks.short
    def classify(
        self,
        images: Any,
        key: Key = 0,
        num_steps: int = 1,
        solver: str = "euler",
        ensemble_size: int = 1,
        min_confidence: float = 0.0,
        batch_size: int = BATCH_SIZE,
    ) -> Any:
        """Predicts the labels of images of any size, or of points.

        Args:
            images: as in `segment`; or float points `[n]` or `[batch, n]`.
            key, num_steps, solver, ensemble_size: as in `segment`.
            min_confidence: bound in [0, 1]; labels with a lower confidence are -1.
            batch_size: images that are read at once; another one compiles again.

        Returns:
            a `Classification` for one image or point, and a list of them for several;
            `np.asarray` makes labels of them.

        Raises:
            DataError, ValueError: if the model segments; otherwise as `segment`.
        """
        if self.reads_masks:
            raise ValueError("This model reads masks, not labels; use segment().")
        ranges.check_count("ensemble_size", ensemble_size)
        ranges.check_count("batch_size", batch_size)
        predictions.check_min_confidence(min_confidence)
        requirements.require_conditional(self.method, "It predicts no", "it can sample images")
        if len(self.image_shape) == 1:
            given, examples = given_points(images, self.image_shape)
        else:
            channels, photos = self.image_shape[-1], self.experiment.photos
            given, examples = fitted_images(images, channels, photos, self.experiment.preparation)
        predicted = batched.predict_each(
            self.method,
            self.weights,
            examples,
            as_key(key),
            self.solver(solver, num_steps),
            ensemble_size,
            batch_size,
        )
        found = zip(given.items, predicted, strict=True)
        return given.as_given(Classifications.of(found, self.schema, min_confidence))

    @tracebacks.short
    def predict_semantics(
        self,
        images: Any,
        key: Key,
        num_steps: int = 1,
        solver: str = "euler",
        ensemble_size: int = 1,
    ) -> SemanticsPrediction:
        """Predicts masks or labels of arrays of the model's size, all at once, as arrays.

        One-hot encodings give the probabilities of the classes too.

        Args:
            images: uint8 or float in [-1, 1], `[batch, *image_shape]`; see the class.
            key, num_steps, solver, ensemble_size: as in `segment`.

        Raises:
            ValueError: if the images have another shape, dtype or range; if there is no such
                solver; or if `num_steps` or `ensemble_size` is no positive whole number.
        """
        ranges.check_count("ensemble_size", ensemble_size)
        requirements.require_conditional(self.method, "It predicts no", "it can sample images")
        checked = checked_images(images, self.image_shape)
        return predictions.predict_semantics(
            self.method,
            self.weights,
            as_key(key),
            jnp.arange(len(checked.values)),
            checked,
            self.solver(solver, num_steps),
            ensemble_size,
        )

    @tracebacks.short
    def edit(
        self,
        images: Any,
        conditions: Any,
        key: Key = 0,
        num_steps: int = 25,
        solver: str = "euler",
        source: Any = Source.READ,
        keep: Any = None,
        editing: Editing = FROM_PHOTO,
        **view: Any,
    ) -> Any:
        """Edits images of any size towards new masks or labels; see docs/editing.md.

        Args:
            images: as in `segment`; or float points `[n]` or `[batch, n]`.
            conditions: the new masks or labels, as in `generate`: one for all images, or one for
                each. A mask has the size of its image. A folder of images takes a folder of masks
                with the same names.
            key: origin of the noise.
            num_steps: steps of the solver.
            solver: as in `generate`.
            source: the old masks or labels, like the new ones; "read" (or `Source.READ`) has the
                model read them, "none" does without.
            keep: what stays exactly as it is: "unchanged" (or `Keep.UNCHANGED`), the pixels whose
                class stays, which is the default for masks; "none"; or regions, like masks: files
                and Pillow images whose pixels above 0 are kept, or bool arrays. Of points, bool
                `[n]` or `[batch, n]`.
            editing: from the photo (the default), from noise or by inversion; see `Editing`.
            **view: how photos are shown to a model of masks, the arguments of `view` by name.

        Returns:
            as `generate`, each image in its own size.

        Raises:
            DataError: if there is no image or no mask of one, or a file cannot be read.
            ValueError: if the network has one clock for both components; if a mask or region has
                another size than its image, or another dtype; if there is no such solver, or it
                cannot do it; or if there are no old masks to compare the new ones with.
        """
        requirements.require_conditional(
            self.method, "edit() makes images follow", "it can sample images"
        )
        check_view(view, reads_masks=self.reads_masks)
        solve = self.solver(solver, num_steps)
        options: dict[str, Any] = {"source": source, "keep": keep, "editing": editing}
        if len(self.image_shape) == 1:
            return editing_lib.of_points(self, images, conditions, as_key(key), solve, **options)
        return photo_edits.of_photos(
            self, images, conditions, as_key(key), solve, **options, view=view
        )

    @tracebacks.short
    def edit_arrays(
        self,
        images: Any,
        conditions: Any,
        key: Key = 0,
        num_steps: int = 25,
        solver: str = "euler",
        source: Any = Source.READ,
        keep: Any = None,
        editing: Editing = FROM_PHOTO,
    ) -> Edited:
        """Edits arrays of the model's size, all at once; other arguments as in `edit`.

        Args:
            images: see the class.
            conditions: int `[batch, height, width]` masks, or int `[batch]` labels.
            key, num_steps, solver, editing: as in `edit`.
            source: the old ones, shaped as `conditions`, or a rule as in `edit`.
            keep: bool `[batch, height, width]`, or `[batch, n]` of points, or a rule as in `edit`.

        Raises:
            ValueError: as `edit`.
        """
        requirements.require_conditional(
            self.method, "edit() makes images follow", "it can sample images"
        )
        checked = checked_images(images, self.image_shape)
        conditions = self._checked_conditions(conditions)
        source = editing_lib.named_rule(Source, source)
        keep = editing_lib.named_rule(Keep, keep)
        if not isinstance(source, Source):
            source = self._checked_conditions(source)
        if not isinstance(keep, Keep | None):
            keep = checked_region(keep, self.image_shape)
        solve = self.solver(solver, num_steps)
        return editing_lib.edit(
            self, checked, conditions, as_key(key), solve, source=source, keep=keep, editing=editing
        )

    def velocity(
        self, x_t: Any, y_t: Any, t: Any, t_semantics: Any = None
    ) -> tuple[jax.Array, jax.Array]:
        """Velocities of both components at time t, shaped as `x_t` and `y_t`.

        Args:
            x_t: image component, float `[batch, *method.codec.shapes.image]`.
            y_t: semantics component, float `[batch, *method.codec.shapes.semantics]`.
            t: time in [0, 1], float, scalar or `[batch]`.
            t_semantics: time of the semantics, if it differs; needs a network with two clocks.

        Raises:
            ValueError: if `t_semantics` is given but the network has one clock.
        """
        x_t, y_t, t = jnp.asarray(x_t), jnp.asarray(y_t), jnp.asarray(t, jnp.float32)
        times = JointState(t, t)
        if t_semantics is not None:
            requirements.require_two_clocks(self.method, "A time for the semantics alone")
            times = JointState(t, jnp.asarray(t_semantics, jnp.float32))
        return tuple(predictions.velocity(self.method, self.weights, JointState(x_t, y_t), times))

    def solver(self, name: str, num_steps: int) -> Solve:
        """The solver of a name; raises ValueError for an unknown one, or no number of steps."""
        ranges.check_count("num_steps", num_steps)
        return self.experiment.solver(name, num_steps)

    def _checked_conditions(self, conditions: Any) -> np.ndarray:
        return checked_conditions(
            conditions, self.image_shape, self.schema, are_masks=self.reads_masks
        )
