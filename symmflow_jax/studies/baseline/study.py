"""The study of the honest peer.

    python -m symmflow_jax.studies.baseline --config=configs/shapes.py --seconds=600

A joint model of images and semantics is worth something beside two models of one task each that
had the same network, data and steps. This study trains the three of them, one after the other,
and measures what each can do on the same examples.
"""

import contextlib
import json
import logging
import pathlib
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.evaluation.compare import compare, cost_section
from symmflow_jax.evaluation.cost import cost_of
from symmflow_jax.evaluation.evaluator import EvaluatedWeights, Evaluator, evaluator_of
from symmflow_jax.evaluation.scores.objective import objective_of_seed
from symmflow_jax.evaluation.scores.tally import count
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps
from symmflow_jax.flow.solvers.runge_kutta import EULER
from symmflow_jax.inference.loading import load
from symmflow_jax.metrics import confusion
from symmflow_jax.metrics.confusion import ConfusionMatrix
from symmflow_jax.performance import workloads
from symmflow_jax.runs import markdown
from symmflow_jax.runtime import files
from symmflow_jax.semantics.kinds import SemanticsKind

_logger = logging.getLogger(__name__)

Train = Callable[[Experiment, pathlib.Path], Any]
"""A function that trains an experiment in a folder, or goes on there, and evaluates it."""

JOINT, RECOGNITION, GENERATION = "joint", "recognition", "generation"

_NOT_OF_A_PEER: dict[str, Any] = {
    "train.objective": "flow",
    "train.map_target": "",
    "train.map_guidance": 1.0,
    "guidance.weight": 1.0,
    "eval.clock": "",
}
"""Values of keys that need both tasks."""

_NOT_OF_RECOGNITION: dict[str, Any] = {
    "eval.likelihood_examples": 0,
    "eval.num_feature_samples": 0,
    "eval.features": "",
    "eval.feature_weights": "",
    "eval.lpips_weights": "",
}
"""Values of keys that ask for images."""

PEERS: dict[str, dict[str, Any]] = {
    JOINT: {},
    RECOGNITION: {"train.clock": "recognition"} | _NOT_OF_A_PEER | _NOT_OF_RECOGNITION,
    GENERATION: {"train.clock": "generation"} | _NOT_OF_A_PEER,
}
"""Changes of the config for each network, by the name of its run."""

_BUDGET = "budget.json"
"""File of the study's folder with the time of each network and the steps that it became."""

_MIN_TIMED_STEPS = 5
_MAX_TIMING_SECONDS = 10.0


class Trained(NamedTuple):
    """A trained network, and what measures it."""

    evaluator: Evaluator
    evaluated: EvaluatedWeights


def study(
    experiment: Experiment,
    workdir: pathlib.Path,
    train: Train,
    num_steps: int | None = None,
    seconds: float | None = None,
) -> str:
    """Trains the joint model and its peers, and writes `baseline.md` and `comparison.md`.

    A second call goes on where the first one stopped.

    Args:
        experiment: the joint model.
        workdir: folder of the three runs and of the report.
        train: trains, or goes on.
        num_steps: training steps of each network; None for those of the experiment.
        seconds: training time of each, in place of `num_steps`; see `steps_in`.

    Returns:
        the text of the report.

    Raises:
        ValueError: if the experiment itself learns one task alone, or if the folder has networks
            of another time; and as training does.
    """
    sampling = experiment.method.time_sampling
    if not (sampling.learns_images and sampling.learns_semantics):
        raise ValueError(
            f"config.train.clock is {experiment.train.clock!r}, which learns one task alone; give "
            "the config of a joint model, such as config.train.clock='mixed', whose peers are made "
            "from it."
        )
    if seconds is not None:
        num_steps = _kept_steps(experiment, workdir, seconds)
    if num_steps is not None:
        experiment = with_steps(experiment, num_steps)
    # The one metric that every network has.
    metrics = tuple(dict.fromkeys((*experiment.eval.metrics, "objective")))
    experiment = experiment.changed({"eval.metrics": metrics})
    trained = {}
    for name, changes in PEERS.items():
        _logger.info("%s: %d steps", name, experiment.num_steps)
        train(experiment.changed(changes), workdir / name)
        trained[name] = _load(workdir / name)
    text = _text(experiment, trained)
    compare([workdir / name for name in PEERS], workdir, overwrite=True)
    files.write_text(workdir / "baseline.md", f"{text}\n\n![examples](comparison.png)\n")
    return text


def _kept_steps(experiment: Experiment, workdir: pathlib.Path, seconds: float) -> int:
    """The steps of a time: those of the first call, since a second timing would differ."""
    path, budget = workdir / _BUDGET, _budget(experiment, seconds)
    if not path.exists():
        num_steps = steps_in(experiment, seconds)
        files.write_json(path, budget | {"num_steps": num_steps})
        return num_steps
    kept = json.loads(path.read_text(encoding="utf-8"))
    for name, value in budget.items():
        if kept[name] != value:
            raise ValueError(
                f"{workdir} has networks with {name}={kept[name]!r}, not {value!r}; give the same "
                "to go on, or another --workdir."
            )
    return kept["num_steps"]


def _budget(experiment: Experiment, seconds: float) -> dict[str, Any]:
    """What the number of steps follows from, as a JSON file has it."""
    values = experiment.to_json()
    network = {f"config.network.{key}": value for key, value in values["network"].items()}
    sizes = {
        "config.train.batch_size": values["train"]["batch_size"],
        "config.data.image_size": values["data"]["image_size"],
    }
    return json.loads(files.as_json({"seconds": seconds} | network | sizes))


def steps_in(experiment: Experiment, seconds: float) -> int:
    """Number of train steps of an experiment in a time, at least 1.

    Steps are timed for a twentieth of `seconds`, at most ten, with the reading of their batches.
    Compilation and evaluations come on top of the time.
    """
    with contextlib.closing(experiment.training_batches()) as batches:
        subject = workloads.Subject(experiment.with_schema(experiment.schema), next(batches))
        steps = workloads.TrainSteps(subject)
        steps()  # Compiles.
        count, started, passed = 0, time.perf_counter(), 0.0
        while count < _MIN_TIMED_STEPS or passed < min(seconds / 20, _MAX_TIMING_SECONDS):
            steps.on(next(batches))
            count, passed = count + 1, time.perf_counter() - started
    return max(1, round(seconds * count / passed))


def with_steps(experiment: Experiment, num_steps: int) -> Experiment:
    """The experiment with another number of steps, and as large a part of them as warm-up."""
    for _ in range(3):  # More than once, since numbers of steps are rounded.
        train, factor = experiment.train, num_steps / experiment.num_steps
        epochs = {"train.num_epochs": train.num_epochs, "train.warmup_epochs": train.warmup_epochs}
        experiment = experiment.changed({key: factor * value for key, value in epochs.items()})
    return experiment


def _load(workdir: pathlib.Path) -> Trained:
    model = load(workdir)
    return Trained(evaluator_of(model.experiment), EvaluatedWeights.of(model))


def _text(experiment: Experiment, trained: dict[str, Trained]) -> str:
    """The report: what both tasks come out at, and what they cost."""
    reader = trained[RECOGNITION]
    score = "mIoU" if experiment.kind is SemanticsKind.MASK else "accuracy"
    found: dict[str, dict[str, float]] = {
        f"{score} of real images, read in one step": {
            name: read_score(trained[name], trained[name]) for name in (JOINT, RECOGNITION)
        },
        f"{score} of generated images, read by the network of recognition": {
            name: read_score(trained[name], reader, generated=True) for name in (JOINT, GENERATION)
        },
    }
    if experiment.method.time_sampling.num_clocks > 1:
        found["loss of the semantics of a clean image, at pure noise"] = {
            name: _loss(trained[name], RECOGNITION) for name in (JOINT, RECOGNITION)
        }
        found["loss of the image beside clean semantics"] = {
            name: _loss(trained[name], GENERATION) for name in (JOINT, GENERATION)
        }
    rows = [
        [what, *(f"{cells[name]:.4f}" if name in cells else "" for name in PEERS)]
        for what, cells in found.items()
    ]
    costs = {
        name: cost_of(one.evaluator.method, one.evaluated, experiment.train.batch_size)
        for name, one in trained.items()
    }
    values = experiment.eval
    return f"""# Beside networks of one task

The joint model (`config.train.clock={experiment.train.clock!r}`) beside the same network trained as
nothing but a reader of images (`{RECOGNITION}`) and as nothing but a maker of images
(`{GENERATION}`): the same data, batches and number of steps. The joint model has one network for
both tasks, its peers have one each.

{markdown.table(["held-out examples", *PEERS], rows)}

Losses: lower is better. {values.num_examples or "All"} examples are read and
{values.num_generated or "all"} images generated, in {values.generation_steps} steps of
{values.generation_solver}; seed {experiment.seed}. One network reads the generated images of both.

{cost_section(costs)}

`comparison.md` has the scores of all solvers."""


def read_score(maker: Trained, reader: Trained, *, generated: bool = False) -> float:
    """mIoU or accuracy of labels that a network reads in one step.

    Args:
        maker: the network that generates the images.
        reader: the network that reads them.
        generated: whether images are generated from the labels of the evaluation split; otherwise
            its own images are read.
    """
    evaluator, schema = reader.evaluator, reader.evaluator.schema
    seed, values = evaluator.experiment.seed, evaluator.experiment.eval
    _, num_steps, solve = maker.evaluator.experiment.generation_row
    guidance = maker.evaluator.guidance(num_steps)
    counts = ConfusionMatrix.empty(schema.num_classes)
    for batch in evaluator.batches(values.num_generated if generated else values.num_examples):
        image = evaluator.real_images(seed, batch)
        if generated:
            made = maker.evaluator.generate(
                maker.evaluated, seed, batch, batch.labels, solve, guidance
            )
            image = batch.with_images(made.images).image
        once = FixedSteps(EULER, 1)
        read = evaluator.predict_semantics(reader.evaluated, seed, batch, image, solve=once)
        counts = counts.merge(count(batch, read.labels, schema.num_classes))
    matrix = np.asarray(counts.compute())
    is_mask = evaluator.experiment.kind is SemanticsKind.MASK
    measure = confusion.mean_iou if is_mask else confusion.accuracy
    return float(measure(matrix, schema.ignored))


def _loss(one: Trained, task: str) -> float:
    """The loss of one task on the evaluation split, at the times at which its peer learns."""
    experiment = one.evaluator.experiment.changed(PEERS[task])
    evaluator = evaluator_of(experiment.with_schema(one.evaluator.schema))
    num_examples = experiment.eval.num_examples
    found = objective_of_seed(evaluator, one.evaluated, experiment.seed, num_examples)
    return found.values["loss_semantics" if task is RECOGNITION else "loss_image"]
