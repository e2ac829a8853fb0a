"""Evaluation: scores by solver and number of steps, each with its protocol."""

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
from clu import metrics

from symmflow_jax import build, distributed, predictions
from symmflow_jax.config import Config
from symmflow_jax.data import pipeline
from symmflow_jax.data.pipeline import Batch, Preparation
from symmflow_jax.data.sources.source import DataError, Source
from symmflow_jax.flow.solvers import EULER, FixedSteps, Solve
from symmflow_jax.labels import LabelSchema
from symmflow_jax.metrics import confusion
from symmflow_jax.metrics.confusion import ConfusionMatrix
from symmflow_jax.symmflow import Params, SymmFlow


@dataclasses.dataclass(frozen=True)
class Measurement:
    """One score and how it was obtained.

    Attributes:
        task: "segmentation", "classification", "generation" or "objective".
        dataset: name of the data source.
        split: split of it.
        solver: solver, or None where nothing was integrated.
        num_steps: its steps, or None where they are adaptive.
        nfe: mean network passes for each sample.
        num_draws: noises for each sample.
        metric: what was measured.
        value: the score.
        num_examples: images that count.
        weights: which weights were used.
        train_step: training steps behind them.
        seed: origin of the noise.
        class_name: the one class that was measured, or None for all of them.
    """

    task: str
    dataset: str
    split: str
    solver: str | None
    num_steps: int | None
    nfe: float | None
    num_draws: int
    metric: str
    value: float
    num_examples: int
    weights: str
    train_step: int
    seed: int
    class_name: str | None = None


@dataclasses.dataclass(frozen=True)
class Evaluator:
    """Measures a model on the evaluation split.

    Attributes:
        config: the run's config.
        flow: the method.
        schema: the classes.
        source: the evaluation split.
        preparation: what is done to its examples.
    """

    config: Config
    flow: SymmFlow
    schema: LabelSchema
    source: Source
    preparation: Preparation

    def __post_init__(self):
        distributed.check_batch_size(
            self.config.eval.batch_size, jax.local_device_count(), "config.eval.batch_size"
        )

    @property
    def task(self) -> str:
        """What reading semantics is called for this kind of labels."""
        return "segmentation" if self.preparation.target == "mask" else "classification"

    def measure(self, params: Params, train_step: int) -> list[Measurement]:
        """Every score that the config asks for."""
        config = self.config.eval
        record = functools.partial(self._record, train_step=train_step)
        table = []
        for name, num_steps, solve in build.solvers_of(config):
            scores = self._recognize(params, solve, config.num_examples, config.num_draws)
            table += record(self.task, name, num_steps, config.num_draws, scores)
        solve = FixedSteps(EULER, config.generation_steps)
        scores = self._generate(params, solve, config.num_generated)
        table += record("generation", "euler", config.generation_steps, 1, scores)
        scores = self._objective(params, config.num_examples)
        return table + record("objective", None, None, 1, scores)

    def measure_quickly(self, params: Params, train_step: int) -> list[Measurement]:
        """The one-step score and the loss on a few examples, to watch a training by."""
        count = self.config.eval.num_quick_examples
        record = functools.partial(self._record, train_step=train_step)
        scores = self._recognize(params, FixedSteps(EULER, 1), count, num_draws=1)
        table = record(self.task, "euler", 1, 1, scores)
        return table + record("objective", None, None, 1, self._objective(params, count))

    def sample(self, params: Params, count: int) -> dict[str, np.ndarray]:
        """A few examples beside what the model makes of them, for pictures.

        Returns:
            `image`, `labels` of the first examples, `generated` images of these labels and
            `predicted` labels of these images, `[count, ...]`.
        """
        batch = next(self._batches(count))
        solve = FixedSteps(EULER, self.config.eval.generation_steps)
        generated = self._call(predictions.generate, params, batch, "labels", solve=solve)
        predicted = self._call(
            predictions.recognize, params, batch, "image", solve=FixedSteps(EULER, 1)
        )
        pictures = {
            "image": batch["image"],
            "labels": batch["labels"],
            "generated": generated.images,
            "predicted": predicted.labels,
        }
        return {name: np.asarray(array)[:count] for name, array in pictures.items()}

    def _recognize(
        self, params: Params, solve: Solve, num_examples: int, num_draws: int
    ) -> "_Scores":
        counts, nfe = self._empty(), metrics.Average.empty()
        for batch in self._batches(num_examples):
            result = self._call(
                predictions.recognize, params, batch, "image", solve=solve, num_draws=num_draws
            )
            counts = counts.merge(self._confusion(batch, batch["labels"], result.labels))
            nfe = nfe.merge(_average(result.nfe, batch["valid"]))
        return self._scores(counts, nfe)

    def _generate(self, params: Params, solve: Solve, num_examples: int) -> "_Scores":
        """How far generated images, read back in one step, agree with their conditions."""
        counts, nfe = self._empty(), metrics.Average.empty()
        for batch in self._batches(num_examples):
            made = self._call(predictions.generate, params, batch, "labels", solve=solve)
            again = self._call(
                predictions.recognize,
                params,
                batch | {"image": made.images},
                "image",
                solve=FixedSteps(EULER, 1),
            )
            counts = counts.merge(self._confusion(batch, batch["labels"], again.labels))
            nfe = nfe.merge(_average(made.nfe, batch["valid"]))
        scores = self._scores(counts, nfe)
        renamed = {f"agreement_{name}": value for name, value in scores.values.items()}
        return dataclasses.replace(scores, values=renamed, class_iou={})

    def _objective(self, params: Params, num_examples: int) -> "_Scores":
        totals = [metrics.Average.empty()] * 3
        for batch in self._batches(num_examples):
            losses = self._call(
                predictions.losses,
                params,
                batch,
                "image",
                "labels",
                image_weight=self.config.train.image_weight,
            )
            parts = (losses.total, losses.image, losses.semantics)
            totals = [
                total.merge(_average(part, batch["valid"]))
                for total, part in zip(totals, parts, strict=True)
            ]
        totals = [distributed.sum_over_processes(total) for total in totals]
        values = {
            name: float(total.compute())
            for name, total in zip(("loss", "loss_image", "loss_semantics"), totals, strict=True)
        }
        return _Scores(values, None, int(totals[0].count))

    def _scores(self, counts: ConfusionMatrix, nfe: metrics.Average) -> "_Scores":
        matrix = distributed.sum_over_processes(counts.compute())
        nfe = distributed.sum_over_processes(nfe)
        ignored = self.schema.ignored
        cost = (float(nfe.compute()), int(nfe.count))
        if self.task == "classification":
            return _Scores({"accuracy": confusion.accuracy(matrix, ignored)}, *cost)
        values = {
            "miou": confusion.mean_iou(matrix, ignored),
            "pixel_accuracy": confusion.accuracy(matrix, ignored),
            "frequency_weighted_iou": confusion.frequency_weighted_iou(matrix, ignored),
        }
        named = zip(self.schema.names, confusion.class_iou(matrix, ignored).tolist(), strict=True)
        occurring = {name: value for name, value in named if np.isfinite(value)}
        return _Scores(values, *cost, class_iou=occurring)

    def _empty(self) -> ConfusionMatrix:
        return ConfusionMatrix.empty(self.schema.num_classes)

    def _confusion(self, batch: Batch, targets: Any, labels: Any) -> ConfusionMatrix:
        return _confusion(targets, labels, batch["valid"], self.schema.num_classes)

    def _batches(self, num_examples: int) -> Iterator[Batch]:
        batches = pipeline.evaluation_batches(
            self.source,
            self.preparation,
            batch_size=self.config.eval.batch_size,
            num_examples=num_examples,
            shard=distributed.shard(),
        )
        mesh = distributed.local_mesh()
        return (distributed.put_batch(batch, mesh) for batch in batches)

    def _call(
        self, function: Callable, params: Params, batch: Batch, *inputs: str, **options: Any
    ) -> Any:
        key = jax.random.fold_in(jax.random.key(self.config.seed), _EVALUATION)
        arrays = (batch[name] for name in inputs)
        return function(self.flow, params, key, batch["position"], *arrays, **options)

    def _record(
        self,
        task: str,
        solver: str | None,
        num_steps: int | None,
        num_draws: int,
        scores: "_Scores",
        *,
        train_step: int,
    ) -> list[Measurement]:
        measured = functools.partial(
            Measurement,
            task=task,
            dataset=self.config.data.source,
            split=self.config.data.eval_split,
            solver=solver,
            num_steps=num_steps,
            nfe=scores.nfe,
            num_draws=num_draws,
            num_examples=scores.num_examples,
            weights="ema",
            train_step=train_step,
            seed=self.config.seed,
        )
        whole = [measured(metric=metric, value=value) for metric, value in scores.values.items()]
        return whole + [
            measured(metric="iou", value=value, class_name=name)
            for name, value in scores.class_iou.items()
        ]


def evaluator_of(config: Config, schema: LabelSchema) -> Evaluator:
    """The evaluator of a config, for weights that know the classes of `schema`.

    Raises:
        DataError: if the evaluation split is missing, or has other classes.
    """
    source = build.source(config, train=False)
    found = build.schema(config, source)
    if found.names != schema.names:
        raise DataError(
            f"The model knows the classes {', '.join(schema.names)}, but the data has "
            f"{', '.join(found.names)}; set config.data to data of the same classes."
        )
    preparation = build.preparation(config, schema)
    return Evaluator(config, build.flow(config, schema), schema, source, preparation)


def score(table: list[Measurement]) -> float:
    """The one figure by which checkpoints are compared: one-step accuracy or mIoU."""
    chosen = [m.value for m in table if m.metric in ("accuracy", "miou") and m.num_steps == 1]
    return chosen[0]


@dataclasses.dataclass(frozen=True)
class _Scores:
    """Scores by name, mean network passes, and the number of examples behind them."""

    values: dict[str, float]
    nfe: float | None
    num_examples: int
    class_iou: dict[str, float] = dataclasses.field(default_factory=dict)


# Folded into the seed, so that evaluation shares no noise with training.
_EVALUATION = 1


@functools.partial(jax.jit, static_argnums=3)
def _confusion(targets, labels, valid, num_classes: int) -> ConfusionMatrix:
    return ConfusionMatrix.from_labels(targets, labels, valid, num_classes)


def _average(values: jax.Array, valid: Any) -> metrics.Average:
    return metrics.Average.from_model_output(values.astype(np.float32), mask=valid)
