"""What is evaluated: a method, and the examples to measure it on."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax

from symmflow_jax.codecs.latents import mask_decoder
from symmflow_jax.config import checks
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data import pipeline
from symmflow_jax.data.batch import Batch
from symmflow_jax.data.source import Source
from symmflow_jax.evaluation.measurement import Protocol
from symmflow_jax.flow import keys
from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.flow.keys import Stream
from symmflow_jax.methods.symmflow import SymmFlow, Weights
from symmflow_jax.runs import folder
from symmflow_jax.runtime import processes
from symmflow_jax.semantics.labels import LabelSchema


class EvaluatedWeights(NamedTuple):
    """What is measured of a training.

    Attributes:
        weights: the averaged parameters, and those of the codec, over the local devices.
        train_step: training steps behind them.
    """

    weights: Weights
    train_step: int


@dataclasses.dataclass(frozen=True)
class Evaluator:
    """A method and the evaluation split.

    Attributes:
        experiment: method, classes and what to measure.
        source: the examples; those of the evaluation split by default.
        skip_log: where to note examples that cannot be read, if they are skipped at all.
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
        """What reading semantics is called for this kind of labels."""
        return self.experiment.kind.task

    @property
    def seeds(self) -> tuple[int, ...]:
        """Origins of the noise of each repeat."""
        seed = self.experiment.seed
        return tuple(range(seed, seed + self.experiment.eval.num_seeds))

    def batches(
        self,
        num_examples: int,
        *,
        original_labels: bool = False,
        repeated: bool = False,
        spread: bool = False,
    ) -> Iterator[Batch]:
        """Examples of the split over the local devices; see `evaluation_batches`."""
        batches = pipeline.evaluation_batches(
            self.source,
            self.experiment.preparation,
            batch_size=self.experiment.eval.batch_size,
            num_examples=num_examples,
            shard=processes.shard(),
            original_labels=original_labels,
            repeated=repeated,
            spread=spread,
            skip_errors=self.experiment.skips_errors,
            skip_log=self.skip_log,
        )
        mesh = processes.local_mesh()
        for batch in batches:
            # Masks of many sizes stay on the host, and so stays what is only counted there.
            placed = processes.put_batch(dataclasses.replace(batch, original_labels=None), mesh)
            yield dataclasses.replace(placed, original_labels=batch.original_labels)

    def call(
        self,
        function: Callable,
        trained: EvaluatedWeights,
        seed: int,
        batch: Batch,
        *inputs: Any,
        **options: Any,
    ) -> Any:
        """One of `predictions` on arrays of a batch, with the noise of a seed."""
        key = keys.of_seed(seed, Stream.EVALUATION)
        return function(self.method, trained.weights, key, batch.example_index, *inputs, **options)

    def guidance(self, num_steps: int | None) -> Guidance:
        """The guidance of generated images, for a solver of so many steps."""
        return self.experiment.guidance(num_steps)

    def protocol(self, task: str, trained: EvaluatedWeights, seed: int, **details: Any) -> Protocol:
        """The protocol of a score of this evaluator; `details` are the task's own fields."""
        size = self.experiment.data.image_size
        integrated = "solver" in details
        codec = trained.weights.codec
        return Protocol(
            task=task,
            dataset=self.experiment.dataset,
            split=self.experiment.data.eval_split,
            image_size=size,
            crop="centre" if size else None,
            weights="ema",
            train_step=trained.train_step,
            seeds=(seed,),
            clock=self.method.clock_name if integrated else None,
            mask_decoder=mask_decoder(codec) if integrated and codec else None,
            **details,
        )

    def row_protocol(
        self, task: str, trained: EvaluatedWeights, seed: int, solver: str, num_steps: int | None
    ) -> Protocol:
        """The protocol of one solver and number of steps; without the latter it is adaptive."""
        tolerance = self.experiment.eval.tolerance if num_steps is None else None
        return self.protocol(
            task, trained, seed, solver=solver, num_steps=num_steps, tolerance=tolerance
        )


def evaluator_of(experiment: Experiment, workdir: pathlib.Path | None = None) -> Evaluator:
    """The evaluator of an experiment.

    Args:
        experiment: method, classes and what to measure.
        workdir: the run's folder, where examples that cannot be read are noted.

    Raises:
        DataError: if the evaluation split is missing, or has other classes.
        ValueError: if the devices do not divide a batch, or weights of features are missing.
    """
    checks.check_files(experiment.eval)
    log = workdir / folder.SKIPPED if workdir else None
    return Evaluator(experiment, experiment.evaluation_source, log)
