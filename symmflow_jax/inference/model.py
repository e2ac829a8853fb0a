"""A trained model: what `load` gives to notebooks and to the command line."""

import dataclasses
import os
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data.batch import Images, Pixels, Points, Signals
from symmflow_jax.flow.guidance import NO_GUIDANCE, Guidance
from symmflow_jax.flow.state import JointState
from symmflow_jax.inference import predictions
from symmflow_jax.inference.predictions import Sample, SemanticsPrediction
from symmflow_jax.methods.symmflow import Sampled, SymmFlow, Weights
from symmflow_jax.runs import checkpoints
from symmflow_jax.runtime import processes
from symmflow_jax.semantics.kinds import SemanticsKind
from symmflow_jax.semantics.labels import LabelSchema


@dataclasses.dataclass(frozen=True)
class Model:
    """A network with its averaged weights, its classes and its settings.

    Images go in as uint8 in 0..255, or as float in [-1, 1], `[batch, height, width, channels]`
    in the size the model was trained on (`image_shape`); points as float `[batch, n]`. Classes
    are numbered 0..n-1; `schema` gives their names, colours and ids in the data set's files.

    Attributes:
        experiment: what the run was composed of.
        weights: the averaged parameters, and those of the codec.
        step: training steps behind them.
    """

    experiment: Experiment
    weights: Weights
    step: int

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
        """Whether the model segments; otherwise it classifies."""
        return self.experiment.kind is SemanticsKind.MASK

    def generate(
        self,
        conditions: Any,
        key: jax.Array,
        num_steps: int = 25,
        solver: str = "euler",
        guidance: Guidance = NO_GUIDANCE,
    ) -> np.ndarray:
        """Images of masks or labels.

        Args:
            conditions: int `[batch, height, width]` masks, or int `[batch]` labels.
            key: origin of the noise.
            num_steps: steps of the solver.
            solver: "euler", "midpoint", "heun", "rk4" or "dopri5" (which takes no steps).
            guidance: draws images towards their conditions; none by default.

        Returns:
            uint8 images `[batch, height, width, channels]`, or float32 points.

        Raises:
            ValueError: if conditions have another shape, or are no classes of the model, or if
                there is guidance but the network has one clock for both leaves.
        """
        conditions = self._checked_conditions(conditions)
        result = predictions.generate(
            self.method,
            self.weights,
            key,
            jnp.arange(len(conditions)),
            conditions,
            self._solver(solver, num_steps),
            guidance,
        )
        return np.asarray(result.images)

    def sample(
        self,
        num_samples: int,
        key: jax.Array,
        num_steps: int = 25,
        solver: str = "euler",
        what: Sampled = Sampled.PAIRS,
    ) -> Sample:
        """Images, labels or pairs of both, from noise alone.

        Args:
            num_samples: how many.
            key: origin of the noise.
            num_steps: steps of the solver.
            solver: as in `generate`.
            what: `Sampled.IMAGES`, `SEMANTICS` or `PAIRS`.

        Raises:
            ValueError: if the network has one clock for both leaves.
        """
        solve = self._solver(solver, num_steps)
        return predictions.sample(
            self.method, self.weights, key, jnp.arange(num_samples), solve, what
        )

    def segment(
        self,
        images: Any,
        key: jax.Array,
        num_steps: int = 1,
        solver: str = "euler",
        ensemble_size: int = 1,
        min_confidence: float = 0.0,
    ) -> np.ndarray:
        """Masks of images, int32 `[batch, height, width]`.

        Args:
            images: see the class.
            key: origin of the noise.
            num_steps: steps of the solver.
            solver: as in `generate`.
            ensemble_size: noises for each image, whose answers vote.
            min_confidence: answers less sure than that, in [0, 1], are -1.

        Raises:
            ValueError: if the model classifies, or if images have another shape or range.
        """
        if not self.reads_masks:
            raise ValueError("This model reads labels, not masks; use classify().")
        result = self.predict_semantics(images, key, num_steps, solver, ensemble_size)
        return result.answers(min_confidence)

    def classify(
        self,
        images: Any,
        key: jax.Array,
        num_steps: int = 1,
        solver: str = "euler",
        ensemble_size: int = 1,
        min_confidence: float = 0.0,
    ) -> np.ndarray:
        """Labels of images, int32 `[batch]`; arguments and errors are as in `segment`."""
        if self.reads_masks:
            raise ValueError("This model reads masks, not labels; use segment().")
        result = self.predict_semantics(images, key, num_steps, solver, ensemble_size)
        return result.answers(min_confidence)

    def predict_semantics(
        self,
        images: Any,
        key: jax.Array,
        num_steps: int = 1,
        solver: str = "euler",
        ensemble_size: int = 1,
    ) -> SemanticsPrediction:
        """Masks or labels with confidence, entropy and, of one-hot codes, probabilities."""
        checked = self._checked_images(images)
        return predictions.predict_semantics(
            self.method,
            self.weights,
            key,
            jnp.arange(len(checked.values)),
            checked,
            self._solver(solver, num_steps),
            ensemble_size,
        )

    def velocity(
        self, x_t: Any, y_t: Any, t: Any, t_semantics: Any = None
    ) -> tuple[jax.Array, jax.Array]:
        """Velocities of the joint state at t.

        Args:
            x_t: float `[batch, *method.codec.shapes.image]`.
            y_t: float `[batch, *method.codec.shapes.semantics]`.
            t: float in [0, 1], scalar or `[batch]`.
            t_semantics: the same for the semantics alone, if the network has two clocks.

        Raises:
            ValueError: if there is a second time but one clock.
        """
        x_t, y_t, t = jnp.asarray(x_t), jnp.asarray(y_t), jnp.asarray(t, jnp.float32)
        times = JointState(t, t)
        if t_semantics is not None:
            self.method.require_two_clocks("A time for the semantics alone")
            times = JointState(t, jnp.asarray(t_semantics, jnp.float32))
        return tuple(self.method.velocity(self.weights)(JointState(x_t, y_t), times))

    def _solver(self, name: str, num_steps: int):
        return self.experiment.solver(name, num_steps)

    def _checked_images(self, images: Any) -> Images:
        images = np.asarray(images)
        if images.shape[1:] != self.image_shape or not len(images):
            raise ValueError(
                f"Images have shape {images.shape}; this model takes "
                f"{('batch', *self.image_shape)}. Resize them, or convert their channels, first."
            )
        if images.ndim == 2:
            return Points(images)
        if images.dtype == np.uint8:
            return Pixels(images)
        if not np.issubdtype(images.dtype, np.floating):
            raise ValueError(f"Images are {images.dtype}; give uint8, or float in [-1, 1].")
        low, high = float(images.min()), float(images.max())
        if not (low >= -1.0 and high <= 1.0):
            raise ValueError(
                f"Float images range from {low:g} to {high:g}; they must lie in [-1, 1]. "
                "8-bit values become that by x / 127.5 - 1, or give them as uint8."
            )
        return Signals(images.astype(np.float32))

    def _checked_conditions(self, conditions: Any) -> np.ndarray:
        conditions = np.asarray(conditions)
        shape = self.image_shape[:-1] if self.reads_masks else ()
        if conditions.shape[1:] != shape or conditions.ndim == 0 or not len(conditions):
            raise ValueError(
                f"Conditions have shape {conditions.shape}; this model takes {('batch', *shape)}."
            )
        num_classes = self.schema.num_classes
        if not np.issubdtype(conditions.dtype, np.integer):
            raise ValueError(f"Conditions are {conditions.dtype}; give integers.")
        if conditions.min() < 0 or conditions.max() >= num_classes:
            raise ValueError(
                f"Conditions range from {conditions.min()} to {conditions.max()}; the classes "
                f"are 0 to {num_classes - 1}: {', '.join(self.schema.names)}."
            )
        return conditions.astype(np.int32)


def load(workdir: str | os.PathLike, checkpoint: str = "latest") -> Model:
    """The model of a run, from its checkpoint alone: no config file and no data set is needed.

    Args:
        workdir: folder of the run.
        checkpoint: "latest" or "best".

    Raises:
        CheckpointError: if there is no complete checkpoint, or it cannot be read.
        WeightsFileError: if the run's copy of the autoencoder is gone.
    """
    with checkpoints.open_to_read(pathlib.Path(workdir)) as manager:
        step = checkpoints.choose_step(manager, checkpoint)
        description = checkpoints.restore_description(manager, step)
        schema = LabelSchema.from_json(description["schema"])
        experiment = Experiment.from_json(description["config"], schema)
        shapes = jax.eval_shape(experiment.method.init, jax.random.key(0))
        # Weights that were trained in parts may need the memory of all devices here too.
        parallelism = experiment.parallelism(jax.local_devices())
        params = checkpoints.restore_ema_params(manager, step, parallelism.targets(shapes))
    codec_weights = experiment.kept_codec_weights(pathlib.Path(workdir))
    weights = Weights(
        parallelism.for_inference(params),
        processes.put_replicated(codec_weights, processes.local_mesh()),
    )
    return Model(experiment, weights, step)
