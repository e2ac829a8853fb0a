"""The evaluator: a method and the examples that it is evaluated on."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import jax

from symmflow_jax.codecs import images as images_lib
from symmflow_jax.codecs.latents import mask_decoder
from symmflow_jax.config import checks
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.schema import measurement
from symmflow_jax.data import pipeline
from symmflow_jax.data.batch import Batch, Images, Pixels, Signals
from symmflow_jax.data.source import Source
from symmflow_jax.data.transforms import Example
from symmflow_jax.evaluation.measurement import Protocol
from symmflow_jax.flow import keys
from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.flow.keys import Stream
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.inference.compiled.predictions import SemanticsPrediction
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.methods.weights import Weights
from symmflow_jax.runs import folder
from symmflow_jax.runs.bucket import staging
from symmflow_jax.runtime import processes
from symmflow_jax.semantics.kinds import SemanticsKind
from symmflow_jax.semantics.labels import LabelSchema

if TYPE_CHECKING:
    from symmflow_jax.inference.model import Model


class EvaluatedWeights(NamedTuple):
    """Weights to evaluate, and their training step.

    Attributes:
        weights: averaged parameters of the network, and parameters of the codec, on the local
            devices.
        train_step: number of training steps of these weights.
        train_seconds: time of these steps, or None if it is not known.
        native_scale: the scale of the images that they were trained on, if it is known; see
            `data.geometry.native_scale`.
    """

    weights: Weights
    train_step: int
    train_seconds: float | None = None
    native_scale: float | None = None

    @classmethod
    def of(cls, model: "Model") -> "EvaluatedWeights":
        """Those of a loaded model."""
        return cls(model.weights, model.step, model.train_seconds, model.native_scale)


class Samples(NamedTuple):
    """Generated images as they are scored.

    Attributes:
        images: uint8 `[batch, height, width, channels]`, or float32 points `[batch, n]`.
        compared: what is compared with real images: these images, or float32 signals.
        nfe: int32 `[batch]`, number of network passes for each image.
    """

    images: jax.Array
    compared: jax.Array
    nfe: jax.Array


@dataclasses.dataclass(frozen=True)
class Evaluator:
    """A method and the evaluation split.

    Scores get examples, samples and predictions from here, by the conventions of the config.

    Attributes:
        experiment: method, classes and settings of the evaluation.
        source: the examples, usually those of the evaluation split.
        skip_log: file for the messages of skipped examples, or None.

    Raises:
        ValueError: if the local devices do not divide a batch.
    """

    experiment: Experiment
    source: Source
    skip_log: pathlib.Path | None = None

    def __post_init__(self):
        processes.check_batch_size(
            self.experiment.eval.batch_size, jax.local_device_count(), "config.eval.batch_size"
        )

    @property
    def method(self) -> SymmFlow:
        """The method."""
        return self.experiment.method

    @property
    def schema(self) -> LabelSchema:
        """The classes."""
        return self.experiment.schema

    @property
    def task(self) -> str:
        """Name of the task in a protocol: "segmentation" or "classification"."""
        return self.experiment.kind.task

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seed of the noise of each repetition."""
        seed = self.experiment.seed
        return tuple(range(seed, seed + self.experiment.eval.num_seeds))

    def batches(
        self,
        num_examples: int,
        *,
        original_labels: bool = False,
        repeated: bool = False,
        times: int = 1,
        spread: bool = False,
    ) -> Iterator[Batch]:
        """Batches of the split on the local devices; see `pipeline.evaluation_batches`."""
        batches = pipeline.evaluation_batches(
            self.source,
            self.experiment.evaluation_preparation,
            batch_size=self.experiment.eval.batch_size,
            num_examples=num_examples,
            shard=processes.shard(),
            original_labels=original_labels,
            repeated=repeated,
            times=times,
            spread=spread,
            skip_errors=self.experiment.skips_errors,
            skip_log=self.skip_log,
        )
        mesh = processes.local_mesh()
        for batch in batches:
            # Masks of different sizes stay on the host, where they are counted.
            placed = processes.put_batch(dataclasses.replace(batch, original_labels=None), mesh)
            yield dataclasses.replace(placed, original_labels=batch.original_labels)

    def whole_examples(self, num_examples: int) -> Iterator[tuple[int, Example]]:
        """Numbers and examples of this process's part, each image and mask in their own size."""
        return pipeline.whole_examples(
            self.source,
            self.experiment.evaluation_preparation,
            num_examples=num_examples,
            shard=processes.shard(),
            skip_errors=self.experiment.skips_errors,
            skip_log=self.skip_log,
        )

    def call(
        self,
        function: Callable,
        evaluated: EvaluatedWeights,
        seed: int,
        batch: Batch,
        *inputs: Any,
        **options: Any,
    ) -> Any:
        """Calls a function of `inference.predictions` on a batch, with the noise of a seed.

        Args:
            function: the function.
            evaluated: the weights.
            seed: seed of the noise.
            batch: the batch, for its `example_index`.
            *inputs: the function's arguments after `example_index`.
            **options: its named arguments.
        """
        key = keys.of_seed(seed, Stream.EVALUATION)
        return function(
            self.method, evaluated.weights, key, batch.example_index, *inputs, **options
        )

    def real_images(self, seed: int, batch: Batch) -> Images:
        """The images of a batch as methods see them, with noise if the conventions say so."""
        if not (self.experiment.dequantizes_real_images and isinstance(batch.image, Pixels)):
            return batch.image
        key = keys.stream(keys.of_seed(seed, Stream.EVALUATION), Stream.DEQUANTIZATION)
        return Signals(_dequantized(key, batch.example_index, batch.image.values))

    def predict_semantics(
        self,
        evaluated: EvaluatedWeights,
        seed: int,
        batch: Batch,
        image: Images,
        **options: Any,
    ) -> SemanticsPrediction:
        """Predicts semantics of images beside a batch; see `predictions.predict_semantics`."""
        if self.experiment.clips_masks:
            options |= {"clip": True}
        return self.call(predictions.predict_semantics, evaluated, seed, batch, image, **options)

    def generate(
        self,
        evaluated: EvaluatedWeights,
        seed: int,
        batch: Batch,
        labels: Any,
        solve: Solve,
        guidance: Guidance,
    ) -> Samples:
        """Generates images from labels beside a batch; see `predictions.generate`."""
        conventions = self.experiment.conventions
        of_signals = bool(self.experiment.data.image_size) and (
            conventions.cuts_levels or conventions.compares_signals
        )
        options: dict[str, Any] = {"as_signals": True} if of_signals else {}
        made = self.call(
            predictions.generate,
            evaluated,
            seed,
            batch,
            labels,
            solve=solve,
            guidance=guidance,
            **options,
        )
        if not of_signals:
            return Samples(made.images, made.images, made.nfe)
        to_pixels = _cut_to_pixels if conventions.cuts_levels else _to_pixels
        pixels = to_pixels(made.images)
        compared = made.images if conventions.compares_signals else pixels
        return Samples(pixels, compared, made.nfe)

    def conditions(self, batch: Batch) -> Any:
        """The labels or masks that images are generated from, for each example of a batch."""
        if self.balances_labels:
            return _in_turn(batch.example_index, self.schema.num_classes)
        return batch.labels

    @property
    def balances_labels(self) -> bool:
        """True if images are generated from all labels in turn, whatever the examples are."""
        is_label = self.experiment.kind is SemanticsKind.LABEL
        return self.experiment.conventions.balances_labels and is_label

    def guidance(self, num_steps: int | None) -> Guidance:
        """Guidance of the generation, for a solver with `num_steps` steps (None if adaptive)."""
        return self.experiment.guidance(num_steps)

    def protocol(
        self, task: str, evaluated: EvaluatedWeights, seed: int, **details: Any
    ) -> Protocol:
        """The protocol of a score; `details` are further fields of `Protocol`."""
        experiment, size = self.experiment, self.experiment.data.image_size
        preparation = experiment.evaluation_preparation
        crop = "centre" if preparation.crop_seed is None else "random"
        integrated = "solver" in details
        codec = evaluated.weights.codec
        return Protocol(
            task=task,
            dataset=experiment.dataset,
            split=experiment.data.eval_split,
            data_digest=experiment.evaluation_fingerprint.digest,
            conventions=experiment.conventions.name,
            image_size=size,
            crop=crop if size and preparation.fit.crops else None,
            fit=str(preparation.fit) or None if size else None,
            resampling=experiment.data.resampling if size else None,
            dequantized=experiment.dequantizes_real_images and bool(size),
            weights="ema",
            train_step=evaluated.train_step,
            seeds=(seed,),
            clock=self.method.clock_name if integrated else None,
            mask_decoder=mask_decoder(codec) if integrated and codec else None,
            **details,
        )

    def row_protocol(
        self,
        task: str,
        evaluated: EvaluatedWeights,
        seed: int,
        solver: str,
        num_steps: int | None,
        tolerance: float | None = None,
    ) -> Protocol:
        """The protocol of a solver and a number of steps (None for an adaptive solver).

        The tolerance of an adaptive solver is that of the config by default.
        """
        if num_steps is not None:
            tolerance = None
        elif tolerance is None:
            tolerance = self.experiment.eval.tolerance
        return self.protocol(
            task, evaluated, seed, solver=solver, num_steps=num_steps, tolerance=tolerance
        )


def evaluator_of(experiment: Experiment, workdir: pathlib.Path | None = None) -> Evaluator:
    """Makes the evaluator of an experiment on its evaluation split.

    Args:
        experiment: method, classes and settings of the evaluation.
        workdir: folder of the run, for the messages of skipped examples.

    Raises:
        DataError: if the evaluation split is missing, or has other classes.
        ValueError: if the local devices do not divide a batch, if the weights of a feature network
            are missing, or if the model lacks what is measured.
    """
    checks.check_files(experiment.eval)
    measurement.check_method(experiment.method, experiment.eval)
    log = staging.of(workdir).fetch(folder.SKIPPED) if workdir else None
    return Evaluator(experiment, experiment.evaluation_source, log)


_cut_to_pixels = jax.jit(images_lib.cut_to_pixels)
_to_pixels = jax.jit(images_lib.to_pixels)


@jax.jit
def _dequantized(key: jax.Array, example_index: jax.Array, pixels: jax.Array) -> jax.Array:
    """Signals of 8-bit images, each with its own noise."""
    example_keys = keys.example_keys(key, example_index)
    return jax.vmap(images_lib.dequantize)(example_keys, images_lib.to_signal(pixels))


@functools.partial(jax.jit, static_argnums=1)
def _in_turn(example_index: jax.Array, num_classes: int) -> jax.Array:
    """The labels 0, 1, ..., n - 1, 0, ... by the number of the example."""
    return example_index % num_classes
