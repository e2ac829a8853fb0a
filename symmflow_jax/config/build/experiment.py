"""An experiment: everything that a run is composed of, each part made once from its config.

Here configs stop. What trains, evaluates, predicts or plans takes an experiment and asks it for
parts; it reads plain values (`experiment.train.batch_size`), and never compares choices by name.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import grain
import jax
import optax
from flax import traverse_util

from symmflow_jax.config import conversion
from symmflow_jax.config.build import codecs, metrics, solvers, tables, training
from symmflow_jax.config.build.data import batches, sources
from symmflow_jax.config.build.method import make_guidance, make_method
from symmflow_jax.config.values import (
    Config,
    DataConfig,
    EvalConfig,
    FinetuneConfig,
    NetworkConfig,
    PlanConfig,
    TrainConfig,
)
from symmflow_jax.data.latent_cache import CacheIndex
from symmflow_jax.data.pipeline import Preparation
from symmflow_jax.data.source import DataError, Source
from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.flow.state import JointState
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.metrics.features import FeatureFunction
from symmflow_jax.metrics.lpips import Lpips
from symmflow_jax.semantics.kinds import SemanticsKind
from symmflow_jax.semantics.labels import LabelSchema
from symmflow_jax.training.parallel.parallelism import Parallelism


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A config, and what it means.

    Parts that need files are opened when they are first asked for: a method can be made where the
    data set is not.

    Attributes:
        config: the values; only this room reads them by name.
        given_schema: the classes, where they come from a checkpoint and not from data.
    """

    config: Config
    given_schema: LabelSchema | None = None

    # Plain values.

    @property
    def seed(self) -> int:
        """Origin of all randomness."""
        return self.config.seed

    @property
    def data(self) -> DataConfig:
        """Values of the examples."""
        return self.config.data

    @property
    def network(self) -> NetworkConfig:
        """Sizes of the velocity network."""
        return self.config.network

    @property
    def train(self) -> TrainConfig:
        """Values of the training."""
        return self.config.train

    @property
    def finetune(self) -> FinetuneConfig:
        """Values of fine-tuning the decoder for masks."""
        return self.config.finetune

    @property
    def eval(self) -> EvalConfig:
        """Values of the evaluation."""
        return self.config.eval

    @property
    def plan(self) -> PlanConfig:
        """Values of planning for a TPU slice."""
        return self.config.plan

    @property
    def parallel(self) -> str:
        """What the way in which devices share a training is called."""
        return self.config.parallel

    @property
    def dataset(self) -> str:
        """What scores call the data set."""
        return sources.dataset_of(self.config)

    @property
    def has_own_classes(self) -> bool:
        """Whether the config, and not the data set, says what the classes are."""
        return sources.has_own_classes(self.config)

    @property
    def skips_errors(self) -> bool:
        """Whether examples that cannot be read are left out."""
        return batches.skips_errors(self.config)

    def unused_keys(self, keys: Sequence[str]) -> list[str]:
        """Those of the keys that the chosen source, network and clock do not use."""
        return [key for key in keys if key in tables.unused_keys(self.config)]

    def to_json(self) -> dict[str, Any]:
        """The config as plain nested values."""
        return conversion.to_json(self.config)

    @classmethod
    def from_json(cls, values: dict[str, Any], schema: LabelSchema | None = None) -> "Experiment":
        """The experiment of what `to_json` gave, also by an earlier version; raises ValueError."""
        return cls(conversion.from_saved_json(values), schema)

    def changed(self, changes: Mapping[str, Any]) -> "Experiment":
        """The experiment with other values, by dotted key such as "train.batch_size".

        Raises:
            ValueError: if there is no such key, or a value cannot be.
        """
        flat = traverse_util.flatten_dict(self.to_json(), sep=".") | dict(changes)
        values = traverse_util.unflatten_dict(flat, sep=".")
        return Experiment(conversion.from_json(values), self.given_schema)

    def measured_as(self, other: "Experiment") -> "Experiment":
        """This experiment's model, with another one's seed, data, evaluation and guidance."""
        sections = {
            name: getattr(other.config, name) for name in ("seed", "data", "eval", "guidance")
        }
        return Experiment(dataclasses.replace(self.config, **sections), self.schema)

    def with_schema(self, schema: LabelSchema) -> "Experiment":
        """The experiment with classes that no data has to be opened for."""
        return Experiment(self.config, schema)

    # Data.

    @functools.cached_property
    def kind(self) -> SemanticsKind:
        """What of an example is learned."""
        return sources.kind_of(self.config)

    @functools.cached_property
    def training_source(self) -> Source:
        """The training split, or the cache of it that the config names; raises DataError."""
        cache = sources.open_cache(self.config)
        return self.uncached_training_source if cache is None else cache

    @functools.cached_property
    def uncached_training_source(self) -> Source:
        """The training split in its files; raises DataError."""
        return sources.open_source(self.config, train=True)

    @functools.cached_property
    def evaluation_source(self) -> Source:
        """The evaluation split, which has the classes of the model.

        Raises:
            DataError: if it is missing or has other classes.
        """
        source = sources.open_source(self.config, train=False)
        found = sources.schema_of(self.config, source)
        if found.names != self.schema.names:
            raise DataError(
                f"The model knows the classes {', '.join(self.schema.names)}, but the data has "
                f"{', '.join(found.names)}; set config.data to data of the same classes."
            )
        return source

    def real_source(self, evaluated: Source) -> Source:
        """The examples whose images are the real ones that generated ones are compared with.

        Args:
            evaluated: those of the evaluation split.
        """
        return self.uncached_training_source if self.eval.real_split == "train" else evaluated

    @property
    def real_split(self) -> str:
        """The name of that split in the data set."""
        return {"train": self.data.train_split, "eval": self.data.eval_split}[self.eval.real_split]

    @functools.cached_property
    def schema(self) -> LabelSchema:
        """The classes."""
        if self.given_schema is not None:
            return self.given_schema
        return sources.schema_of(self.config, self.training_source)

    def without_files(self) -> "Experiment":
        """The experiment with the classes that are known without the data set's files.

        Raises:
            DataError: if they are not known, and the data is missing.
        """
        return self.with_schema(sources.schema_without_files(self.config))

    @functools.cached_property
    def preparation(self) -> Preparation:
        """What is done to each example."""
        return batches.make_preparation(self.config, self.schema)

    def training_batches(
        self,
        skip_log: pathlib.Path | None = None,
        *,
        batch_size: int | None = None,
        source: Source | None = None,
    ) -> grain.DatasetIterator:
        """This process's part of the training batches, endlessly.

        Args:
            skip_log: where to note examples that cannot be read, if they are skipped at all.
            batch_size: examples of a batch over all processes; by default the training's.
            source: other examples than those of the training split.
        """
        return batches.training_batches(
            self.config,
            self.training_source if source is None else source,
            self.schema,
            batch_size=batch_size or self.train.batch_size,
            skip_log=skip_log,
        )

    def cache_index(self, codec_weights: Any) -> CacheIndex:
        """What a cache of the training split holds, without any example yet."""
        return batches.cache_index(self.config, self.schema, codec_weights)

    # Method.

    @functools.cached_property
    def method(self) -> SymmFlow:
        """The method for the classes of the schema; raises ValueError for parts that do not fit."""
        return make_method(self.config, self.schema)

    def guidance(self, num_steps: int | None) -> Guidance:
        """The guidance of generated images, for a solver of so many steps."""
        return make_guidance(self.config.guidance, num_steps)

    def solver(self, name: str, num_steps: int) -> Solve:
        """The solver of a name; raises ValueError if there is none."""
        return solvers.make_solver(name, num_steps, self.eval.tolerance)

    def solver_rows(self) -> list[tuple[str, int | None, Solve]]:
        """Name, number of steps (None if adaptive) and solver of each row of the table."""
        return solvers.solver_rows(self.eval)

    def codec_weights(self, workdir: pathlib.Path) -> Any:
        """Weights of the codec's network for a run, on the host, or None where it has none.

        Raises:
            WeightsFileError, ValueError: see `autoencoder_weights.of_run`; also if the training
                reads latents of another encoder.
        """
        return codecs.weights_of_run(self.config, workdir)

    def kept_codec_weights(self, workdir: pathlib.Path) -> Any:
        """The same for a run that was trained, from its folder alone."""
        return codecs.kept_weights(self.config, workdir)

    def keep_codec_weights(self, workdir: pathlib.Path, weights: Any) -> None:
        """Copies the weights of the codec's network, if any, into the run's folder."""
        codecs.keep_weights(self.config, workdir, weights)

    def check_latents(self, codec_weights: Any) -> None:
        """Raises if the training reads latents of another encoder than it has, or needs none."""
        batches.check_latents(self.config, self.training_source, codec_weights)

    # Training.

    @functools.cached_property
    def num_steps(self) -> int:
        """Steps of the whole training."""
        return training.count_steps(self.train, self.train.num_epochs, len(self.training_source))

    @functools.cached_property
    def optimizer(self) -> optax.GradientTransformation:
        """The optimizer with its schedule."""
        return training.make_optimizer(self.train, len(self.training_source))

    def parallelism(self, devices: Sequence[jax.Device] = ()) -> Parallelism:
        """How devices share a training; by default all devices of all processes."""
        return training.make_parallelism(self.config, devices)

    def train_step(
        self, optimizer: optax.GradientTransformation, parallelism: Parallelism
    ) -> jax.stages.Wrapped:
        """The jitted train step over all devices; see `training.make_step`."""
        return training.make_step(self.config, self.method, optimizer, parallelism)

    # Evaluation.

    @property
    def loss_weights(self) -> JointState:
        """Weight of each component's loss."""
        return training.loss_weights(self.train)

    def metrics(self) -> list[Callable[[Any], Callable]]:
        """What makes each metric for an evaluator, in the order in which they are reported."""
        return [metrics.METRICS[name].resolve() for name in self.eval.metrics]

    def feature_function(self) -> FeatureFunction | None:
        """What distances of distributions are measured in, or None; raises ValueError."""
        return metrics.make_feature_function(self.eval)

    def perceptual_distance(self) -> Lpips | None:
        """LPIPS, or None; raises ValueError for unusable weights."""
        return metrics.make_perceptual_distance(self.eval)
