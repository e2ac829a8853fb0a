"""An experiment: all parts of a run, each made once from its config.

Only this package and `config` read configs. Training, evaluation, inference and planning take an
experiment. They get parts from it and read plain values (`experiment.train.batch_size`), but never
compare names of choices.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import grain
import jax
import numpy as np
import optax
from flax import traverse_util

from symmflow_jax.config import checks, conversion
from symmflow_jax.config.build import metrics, solvers, training, views
from symmflow_jax.config.build.data import (
    augmentation,
    batches,
    classes,
    openers,
    opening,
    provenance,
    sources,
    trained,
)
from symmflow_jax.config.build.data.mixing import parts
from symmflow_jax.config.build.data.own import classes as own_classes
from symmflow_jax.config.build.method import class_weights, codecs
from symmflow_jax.config.build.method.method import make_guidance, make_method
from symmflow_jax.config.build.method.networks import num_halvings
from symmflow_jax.config.build.method.objectives import has_span
from symmflow_jax.config.build.method.semantics import ENCODINGS
from symmflow_jax.config.build.unused import unused_keys
from symmflow_jax.config.values import (
    Config,
    DataConfig,
    EvalConfig,
    FinetuneConfig,
    NetworkConfig,
    PlanConfig,
    TrainConfig,
)
from symmflow_jax.data import pipeline
from symmflow_jax.data.class_counts import ClassCounts, count_by_example
from symmflow_jax.data.fingerprint import Fingerprint, fingerprint, joined
from symmflow_jax.data.geometry.canvas import View
from symmflow_jax.data.latent_cache.index import CacheIndex
from symmflow_jax.data.masks.colours import ClassColours
from symmflow_jax.data.mixing.mixture import ALONE, Mixture
from symmflow_jax.data.photos.reader import PhotoReader
from symmflow_jax.data.pipeline import Augmentation, Preparation
from symmflow_jax.data.source import Source
from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.flow.state import JointState
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.metrics.conventions import Conventions
from symmflow_jax.metrics.features import FeatureFunction
from symmflow_jax.metrics.lpips import Lpips
from symmflow_jax.semantics.kinds import SemanticsKind
from symmflow_jax.semantics.labels import LabelSchema
from symmflow_jax.training.parallel.parallelism import Parallelism


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A config, and the parts of a run that are made from it.

    Files are opened at the first use of a part, so a method can be made without the data set if
    the classes are given.

    Attributes:
        config: the values; only the package `config` reads them.
        given_schema: the classes, if they come from a checkpoint; None to read them from the data.
        given_table: the `class_table`, if a run keeps it; None to count.
    """

    config: Config
    given_schema: LabelSchema | None = None
    given_table: np.ndarray | None = dataclasses.field(default=None, compare=False, repr=False)

    # Plain values.

    @property
    def seed(self) -> int:
        """Seed of all randomness."""
        return self.config.seed

    @property
    def data(self) -> DataConfig:
        """Values of the data section."""
        return self.config.data

    @property
    def network(self) -> NetworkConfig:
        """Values of the velocity network."""
        return self.config.network

    @property
    def train(self) -> TrainConfig:
        """Values of training."""
        return self.config.train

    @property
    def finetune(self) -> FinetuneConfig:
        """Values of fine-tuning the decoder for masks."""
        return self.config.finetune

    @property
    def eval(self) -> EvalConfig:
        """Values of evaluation."""
        return self.config.eval

    @property
    def plan(self) -> PlanConfig:
        """Values of planning for a TPU slice."""
        return self.config.plan

    @property
    def parallel(self) -> str:
        """Name of the distribution of training over devices."""
        return self.config.parallel

    @property
    def dataset(self) -> str:
        """Name of the data set in scores."""
        return sources.dataset_of(self.config)

    @property
    def photos(self) -> PhotoReader:
        """Reads image files as the training did, and shows them."""
        return PhotoReader(openers.photo_format_of(self.config.data))

    @property
    def has_own_classes(self) -> bool:
        """True if the config, and not the data set, defines the classes."""
        return sources.has_own_classes(self.config)

    @property
    def mask_colours(self) -> ClassColours:
        """Colours of each class in the mask files of the data; empty if they hold ids."""
        if self.unused_keys(["data.class_colours"]):
            return ()
        return own_classes.given_colours(self.data)

    @property
    def skips_errors(self) -> bool:
        """True if examples that cannot be read are skipped."""
        return batches.skips_errors(self.config)

    def unused_keys(self, keys: Sequence[str]) -> list[str]:
        """The keys that the choices of the config do not use."""
        unused = unused_keys(self.config)
        return [key for key in keys if key in unused]

    def to_json(self) -> dict[str, Any]:
        """The config as plain nested values."""
        return conversion.to_json(self.config)

    @classmethod
    def from_json(cls, values: dict[str, Any], schema: LabelSchema | None = None) -> "Experiment":
        """The experiment of a result of `to_json`, also of an earlier version.

        Raises:
            ValueError: if a value is invalid.
        """
        return cls(conversion.from_saved_json(values), schema)

    def changed(self, changes: Mapping[str, Any]) -> "Experiment":
        """The experiment with other values, by dotted key such as "train.batch_size".

        Raises:
            ValueError: if a key is unknown or a value is invalid.
        """
        flat = traverse_util.flatten_dict(self.to_json(), sep=".") | dict(changes)
        values = traverse_util.unflatten_dict(flat, sep=".")
        return Experiment(conversion.from_json(values), self.given_schema)

    def measured_as(self, other: "Experiment") -> "Experiment":
        """This experiment with the seed, data, evaluation and guidance of another one.

        What belongs to the model stays: the size of its images and how they come to it, their
        channels and levels.

        Raises:
            ValueError: if the model cannot be measured so.
        """
        sections = {
            name: getattr(other.config, name) for name in ("seed", "data", "eval", "guidance")
        }
        sections["data"] = trained.kept(self.data, other.data)
        config = dataclasses.replace(self.config, **sections)
        checks.check_measured(config)
        return Experiment(config, self.schema)

    def with_schema(self, schema: LabelSchema) -> "Experiment":
        """The experiment with given classes, which are then not read from the data."""
        return Experiment(self.config, schema, self.given_table)

    def with_ignored_classes(self) -> "Experiment":
        """The experiment with ignored classes as classes like the others, if it had another way."""
        if self.config.data.ignored == "class":
            return self
        data = dataclasses.replace(self.config.data, ignored="class")
        config = dataclasses.replace(self.config, data=data)
        return dataclasses.replace(self, config=config)

    def with_class_table(self, table: np.ndarray) -> "Experiment":
        """The experiment with a given `class_table`, which is then not counted."""
        return dataclasses.replace(self, given_table=table)

    # Data.

    @functools.cached_property
    def kind(self) -> SemanticsKind:
        """The kind of semantics that is learned."""
        return sources.kind_of(self.config)

    @functools.cached_property
    def training_source(self) -> Source:
        """The training split, or its cache of latents; raises DataError."""
        cache = opening.open_cache(self.config)
        return self.uncached_training_source if cache is None else cache

    @functools.cached_property
    def uncached_training_source(self) -> Source:
        """The training split from its files, without a cache; raises DataError."""
        return opening.open_source(self.config, train=True)

    @functools.cached_property
    def evaluation_source(self) -> Source:
        """The evaluation split.

        Raises:
            DataError: if it is missing, or has other classes than the training split or the model.
        """
        source = opening.open_source(self.config, train=False)
        classes.check_classes(self.config, source, self.schema)
        return source

    @functools.cached_property
    def evaluation_fingerprint(self) -> Fingerprint:
        """What the evaluation split was made of; raises DataError like `evaluation_source`."""
        return fingerprint(self.evaluation_source)

    def training_provenance(self) -> dict[str, Any]:
        """What the training split is made of; see `provenance.provenance`."""
        found = provenance.fingerprint_of_encoded(self.training_source)
        if self.mixture.parts:
            others = (fingerprint(part.source) for part in self.mixture.parts)
            found = joined([found, *others])
        return provenance.provenance(self.config, found, train=True)

    def evaluation_provenance(self) -> dict[str, Any]:
        """What the evaluation split is made of; see `provenance.provenance`."""
        return provenance.provenance(self.config, self.evaluation_fingerprint, train=False)

    @property
    def needs_class_counts(self) -> bool:
        """True if training depends on how often each class occurs."""
        samples = augmentation.samples_rare_classes(self.config)
        return samples or class_weights.are_counted(self.config)

    @functools.cached_property
    def class_table(self) -> np.ndarray:
        """Pixels of each class in each training example, int64 `[examples, classes]`.

        Raises:
            DataError: if an example cannot be read, unless they are skipped.
        """
        if self.given_table is not None:
            return self.given_table
        source = pipeline.as_learned(self.training_source, self.augmentation)
        return count_by_example(
            source,
            self.kind.value,
            self.schema.num_classes,
            skip_errors=self.skips_errors,
        )

    @functools.cached_property
    def class_counts(self) -> ClassCounts:
        """How often each class occurs in the training split; raises DataError as `class_table`."""
        return ClassCounts.of_examples(self.class_table)

    @property
    def example_weights(self) -> np.ndarray | None:
        """How often training shows each example, relative to the others; None for equally often."""
        if not augmentation.samples_rare_classes(self.config):
            return None
        return augmentation.example_weights(self.config, self.class_table, self.schema)

    @property
    def augmentation_in_words(self) -> str:
        """The random changes of training examples, with those that are left out."""
        return augmentation.in_words(self.config)

    def real_source(self, evaluated: Source) -> Source:
        """The source of the real images for comparison with generated images.

        Args:
            evaluated: the source of the evaluation split.
        """
        return self.uncached_training_source if self.eval.real_split == "train" else evaluated

    @property
    def real_split(self) -> str:
        """Name, in the data set, of the split of the real images."""
        return {"train": self.data.train_split, "eval": self.data.eval_split}[self.eval.real_split]

    @functools.cached_property
    def schema(self) -> LabelSchema:
        """The label schema; raises DataError if it is not given and the data is missing."""
        if self.given_schema is not None:
            return self.given_schema
        return classes.learned_schema(self.config, self.training_source)

    @functools.cached_property
    def source_schema(self) -> LabelSchema:
        """The classes as the files have them, ignored ones too; raises DataError."""
        return classes.schema_of(self.config, self.training_source)

    def without_files(self) -> "Experiment":
        """The experiment with a label schema, even if the data is missing.

        Raises:
            DataError: if the data is missing and its classes are unknown.
        """
        return self.with_schema(opening.schema_without_files(self.config))

    @functools.cached_property
    def mixture(self) -> Mixture:
        """The parts of the training data beside its split; raises DataError."""
        return parts.open_mixture(self.config, lambda: self.training_source)

    @property
    def learns_unlabelled(self) -> bool:
        """True if training also learns from images without labels, and masks without images."""
        return parts.learns_unlabelled(self.config)

    @functools.cached_property
    def augmentation(self) -> Augmentation:
        """The preparation of training examples, perhaps from a cache of latents."""
        return batches.make_augmentation(self.config, self.schema)

    @functools.cached_property
    def preparation(self) -> Preparation:
        """The preparation of examples."""
        return batches.make_preparation(self.config, self.schema)

    @functools.cached_property
    def evaluation_preparation(self) -> Preparation:
        """The preparation of the examples that scores are of, by the protocol."""
        return batches.make_evaluation_preparation(self.config, self.schema)

    @functools.cached_property
    def native_scale(self) -> float | None:
        """The scale of the training images; see `batches.native_scale`."""
        return batches.native_scale(
            self.config, self.preparation, lambda: self.uncached_training_source
        )

    def view(self, native_scale: float | None, **options: Any) -> View:
        """How images of any size are read; see `views.make_view`."""
        return views.make_view(self.config, native_scale, **options)

    def evaluation_view(self, native_scale: float | None) -> View | None:
        """How whole images are read in scores at their own size; None for parts of them."""
        return views.make_evaluation_view(self.config, native_scale)

    def training_batches(
        self,
        skip_log: pathlib.Path | None = None,
        *,
        batch_size: int | None = None,
        source: Source | None = None,
        first_batch: int = 0,
    ) -> grain.DatasetIterator:
        """Endless iterator over this process's part of the training batches.

        Args:
            skip_log: file that lists skipped examples, if errors are skipped.
            batch_size: examples per batch over all processes; by default `train.batch_size`.
            source: the examples; by default the training split.
            first_batch: number of the batch to begin with.
        """
        return batches.training_batches(
            self.config,
            self.training_source if source is None else source,
            self.schema,
            batch_size=batch_size or self.train.batch_size,
            skip_log=skip_log,
            first_batch=first_batch,
            mixture=self.mixture if source is None else ALONE,
            weights=self.example_weights if source is None else None,
        )

    @property
    def side_multiple(self) -> int:
        """Number that divides the sides of images, since network and autoencoder halve them."""
        return 2 ** num_halvings(self.config)

    def cache_index(self, codec_weights: Any) -> CacheIndex:
        """Description of a new cache of the training split, with zero examples."""
        source = self.uncached_training_source
        return batches.cache_index(self.config, source, self.schema, codec_weights)

    # Method.

    @functools.cached_property
    def method(self) -> SymmFlow:
        """The method for the classes of the schema; raises ValueError for incompatible parts."""
        return make_method(self.config, self.schema)

    def guidance(self, num_steps: int | None) -> Guidance:
        """The guidance of generated images; `num_steps` is that of the solver, None if adaptive."""
        return make_guidance(self.config.guidance, num_steps)

    def solver(self, name: str, num_steps: int) -> Solve:
        """The solver of a name; raises ValueError for an unknown name."""
        return solvers.make_solver(name, num_steps, self.eval.tolerance)

    def is_adaptive(self, name: str) -> bool:
        """Tells if a solver chooses its own steps; raises ValueError for an unknown name."""
        return solvers.is_adaptive(name)

    def with_tolerance(self, tolerance: float) -> "Experiment":
        """The experiment with another tolerance of adaptive solvers, except in likelihoods."""
        values = dataclasses.replace(self.config.eval, tolerance=tolerance)
        return dataclasses.replace(self, config=dataclasses.replace(self.config, eval=values))

    def density_solver(self) -> solvers.Row:
        """Name, number of steps (None if adaptive) and solver of log densities."""
        return solvers.make_density_solver(self.eval)

    def solver_rows(self, *, of_images: bool = True) -> list[solvers.Row]:
        """The rows of the table, of images or of semantics; see `solvers.solver_rows`.

        A model that reads in one step alone has one row of semantics.
        """
        if self.method.time_sampling.reads_in_one_step and not of_images:
            return [("euler", 1, self.solver("euler", 1))]
        return solvers.solver_rows(self.eval, of_images=of_images)

    @property
    def generation_row(self) -> solvers.Row:
        """Name, steps and solver of the images that are read back or shown."""
        return solvers.generation_row(self.eval)

    def codec_weights(self, workdir: pathlib.Path) -> Any:
        """Reads the weights of the codec for a run, on the host; None for a pixel codec.

        Raises:
            WeightsFileError, ValueError: see `autoencoder_weights.of_run`.
        """
        return codecs.weights_of_run(self.config, workdir)

    def codec_files(self) -> dict[str, str]:
        """The files of the codec's weights that the config names, by key; none for pixels."""
        return codecs.given_files(self.config)

    def kept_codec_weights(self, workdir: pathlib.Path) -> Any:
        """Reads the codec weights of a trained run from its folder; None for a pixel codec."""
        return codecs.kept_weights(self.config, workdir)

    def keep_codec_weights(self, workdir: pathlib.Path, weights: Any) -> None:
        """Copies the weights of the codec, if any, into the folder of the run."""
        codecs.keep_weights(self.config, workdir, weights)

    def check_latents(self, codec_weights: Any) -> None:
        """Raises DataError or ValueError if the cache of latents does not fit the autoencoder."""
        batches.check_latents(self.config, self.training_source, codec_weights)

    # Training.

    @functools.cached_property
    def schedule(self) -> training.Schedule:
        """The lengths of the whole training."""
        return training.make_schedule(self.train, self._num_in_epoch)

    @property
    def _num_in_epoch(self) -> int:
        """Examples in one pass over the training split, with those of other parts among them."""
        return round(len(self.training_source) / self.mixture.share_of_split)

    @property
    def num_steps(self) -> int:
        """Number of steps of the whole training."""
        return self.schedule.num_steps

    @functools.cached_property
    def optimizer(self) -> optax.GradientTransformation:
        """The optimizer with its learning-rate schedule."""
        return training.make_optimizer(self.train, self._num_in_epoch)

    def saved_optimizer(self, values: dict[str, Any]) -> optax.GradientTransformation:
        """The optimizer of a result of `to_json`, whose state has the form of its checkpoints."""
        saved = conversion.from_saved_json(values).train
        return training.make_optimizer(saved, self._num_in_epoch)

    @property
    def has_teacher(self) -> bool:
        """True if a flow map is trained towards the velocities of a frozen run."""
        return has_span(self.config) and bool(self.train.map_target)

    def parallelism(self, devices: Sequence[jax.Device] = ()) -> Parallelism:
        """The distribution of training; by default over all devices of all processes."""
        return training.make_parallelism(self.config, devices)

    def train_step(
        self, optimizer: optax.GradientTransformation, parallelism: Parallelism
    ) -> jax.stages.Wrapped:
        """The jitted train step over all devices; see `training.make_step`."""
        method = class_weights.weighted(
            self.config, self.method, self.schema, lambda: self.class_counts
        )
        shares = self.mixture.shares
        return training.make_step(self.config, method, optimizer, parallelism, shares)

    # Evaluation.

    @property
    def conventions(self) -> Conventions:
        """The conventions of the scores."""
        return metrics.make_conventions(self.eval)

    @property
    def clips_masks(self) -> bool:
        """True if predicted pictures of masks are clipped before they are read for scores."""
        draws_masks = ENCODINGS[self.config.semantics.encoding].draws_masks
        return self.conventions.clips_masks and draws_masks

    @property
    def dequantizes_real_images(self) -> bool:
        """True if real images bear noise of half an 8-bit level in scores."""
        return self.conventions.prepares_as_in_training and self.data.dequantize_images

    @property
    def loss_weights(self) -> JointState:
        """Weight of each component's loss."""
        return training.loss_weights(self.train)

    def metrics(self) -> list[Callable[[Any], Callable]]:
        """Functions from an evaluator to each metric that the model has, in the config's order."""
        names = metrics.measurable(self.eval.metrics, self.method.time_sampling)
        return [metrics.METRICS[name].resolve() for name in names]

    def metrics_left_out(self) -> list[str]:
        """Names of the config's metrics that are of a task which the model has not learned."""
        measured = metrics.measurable(self.eval.metrics, self.method.time_sampling)
        return [name for name in self.eval.metrics if name not in measured]

    def feature_function(self) -> FeatureFunction | None:
        """The features of the distances of distributions, or None; raises ValueError."""
        return metrics.make_feature_function(self.eval)

    def perceptual_distance(self) -> Lpips | None:
        """LPIPS, or None without weights; raises ValueError for invalid weights."""
        return metrics.make_perceptual_distance(self.eval)
