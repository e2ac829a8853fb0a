"""What is evaluated: a method, and the examples to measure it on."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax

from symmflow_jax import distributed, run_folder
from symmflow_jax.config.build import method, sources
from symmflow_jax.config.values import Config
from symmflow_jax.data import pipeline
from symmflow_jax.data.pipeline import Batch, Preparation
from symmflow_jax.data.sources.source import DataError, Source
from symmflow_jax.evaluation import checks
from symmflow_jax.evaluation.measurement import Protocol
from symmflow_jax.flow import keys
from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.flow.keys import Stream
from symmflow_jax.labels import LabelSchema
from symmflow_jax.latent_codec import mask_decoder
from symmflow_jax.symmflow import SymmFlow, Weights


class Trained(NamedTuple):
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
        config: the run's config.
        flow: the method.
        schema: the classes.
        source: the evaluation split.
        preparation: what is done to its examples.
        skip_log: where to note examples that cannot be read, if they are skipped at all.
    """

    config: Config
    flow: SymmFlow
    schema: LabelSchema
    source: Source
    preparation: Preparation
    skip_log: pathlib.Path | None = None

    def __post_init__(self):
        distributed.check_batch_size(
            self.config.eval.batch_size, jax.local_device_count(), "config.eval.batch_size"
        )

    @property
    def task(self) -> str:
        """What reading semantics is called for this kind of labels."""
        return "segmentation" if self.preparation.target == "mask" else "classification"

    @property
    def seeds(self) -> tuple[int, ...]:
        """Origins of the noise of each repeat."""
        return tuple(range(self.config.seed, self.config.seed + self.config.eval.num_seeds))

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
            self.preparation,
            batch_size=self.config.eval.batch_size,
            num_examples=num_examples,
            shard=distributed.shard(),
            original_labels=original_labels,
            repeated=repeated,
            spread=spread,
            skip_errors=self.config.data.on_error == "skip",
            skip_log=self.skip_log,
        )
        mesh = distributed.local_mesh()
        for batch in batches:
            # Masks of many sizes stay on the host, and so stays what is only counted there.
            host = {name: batch.pop(name) for name in ("original_labels",) if name in batch}
            yield distributed.put_batch(batch, mesh) | host

    def call(
        self,
        function: Callable,
        trained: Trained,
        seed: int,
        batch: Batch,
        *inputs: str,
        **options: Any,
    ) -> Any:
        """One of `predictions` on arrays of a batch, with the noise of a seed."""
        key = keys.of_seed(seed, Stream.EVALUATION)
        arrays = (batch[name] for name in inputs)
        return function(self.flow, trained.weights, key, batch["position"], *arrays, **options)

    def guidance(self, num_steps: int | None) -> Guidance:
        """The guidance of generated images, for a solver of so many steps."""
        return method.guidance(self.config.guidance, num_steps)

    def protocol(self, task: str, trained: Trained, seed: int, **details: Any) -> Protocol:
        """The protocol of a score of this evaluator; `details` are the task's own fields."""
        size = self.preparation.image_size
        integrated = "solver" in details
        codec = trained.weights.codec
        return Protocol(
            task=task,
            dataset=self.config.data.dataset,
            split=self.config.data.eval_split,
            image_size=size,
            crop="centre" if size else None,
            weights="ema",
            train_step=trained.train_step,
            seeds=(seed,),
            clock=("held" if self.flow.holds_clean else "tied") if integrated else None,
            mask_decoder=mask_decoder(codec) if integrated and codec else None,
            **details,
        )


def evaluator_of(
    config: Config, schema: LabelSchema, workdir: pathlib.Path | None = None
) -> Evaluator:
    """The evaluator of a config, for weights that know the classes of `schema`.

    Args:
        config: the config.
        schema: the classes.
        workdir: the run's folder, where examples that cannot be read are noted.

    Raises:
        DataError: if the evaluation split is missing, or has other classes.
        ValueError: if the devices do not divide a batch, or weights of features are missing.
    """
    checks.check_files(config)
    source = sources.source(config, train=False)
    found = sources.schema(config, source)
    if found.names != schema.names:
        raise DataError(
            f"The model knows the classes {', '.join(schema.names)}, but the data has "
            f"{', '.join(found.names)}; set config.data to data of the same classes."
        )
    preparation = sources.preparation(config, schema)
    log = workdir / run_folder.SKIPPED if workdir else None
    return Evaluator(config, method.flow(config, schema), schema, source, preparation, log)
