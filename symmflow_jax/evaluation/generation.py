"""Scores of generated images: how far they agree with their conditions, read back in one step."""

import numpy as np
from clu import metrics

from symmflow_jax import distributed, predictions
from symmflow_jax.evaluation.evaluator import Evaluator, Trained
from symmflow_jax.evaluation.measurement import Protocol, Scores
from symmflow_jax.evaluation.recognition import average, count, segmentation
from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.flow.solvers import EULER, FixedSteps, Solve
from symmflow_jax.metrics import confusion
from symmflow_jax.metrics.confusion import ConfusionMatrix


def agreement(
    evaluator: Evaluator,
    trained: Trained,
    solve: Solve,
    guidance: Guidance,
    protocol: Protocol,
    num_examples: int,
) -> Scores:
    """How far generated images, read back in one step, agree with their conditions.

    Args:
        evaluator: method and examples.
        trained: what is measured.
        solve: the solver of the generation.
        guidance: its guidance.
        protocol: that of the scores, with one seed.
        num_examples: examples whose labels are the conditions; 0 takes the whole split.
    """
    schema, seed = evaluator.schema, protocol.seeds[0]
    counts, nfe = ConfusionMatrix.empty(schema.num_classes), metrics.Average.empty()
    for batch in evaluator.batches(num_examples):
        made = evaluator.call(
            predictions.generate, trained, seed, batch, "labels", solve=solve, guidance=guidance
        )
        again = evaluator.call(
            predictions.recognize,
            trained,
            seed,
            batch | {"image": made.images},
            "image",
            solve=FixedSteps(EULER, 1),
        )
        counts = counts.merge(count(batch, again.labels, schema.num_classes))
        nfe = nfe.merge(average(made.nfe, batch["valid"]))
    matrix, nfe = distributed.sum_over_processes((counts.compute(), nfe))
    cost, num_scored = float(nfe.compute()), int(nfe.count)
    if evaluator.task == "segmentation":
        scores = segmentation(matrix, schema, "model", protocol, num_scored, cost)
        values, protocol = scores.values, scores.protocol
    else:
        values = {"accuracy": confusion.accuracy(matrix, schema.ignored)}
    renamed = {f"agreement_{name}": value for name, value in values.items()}
    return Scores(values=renamed, num_examples=num_scored, nfe=cost, protocol=protocol)


def examples(evaluator: Evaluator, trained: Trained, num_examples: int) -> dict[str, np.ndarray]:
    """A few examples beside what the model makes of them, for pictures.

    Returns:
        `image`, `labels` of the first examples, `generated` images of these labels and
        `predicted` labels of these images, `[num_examples, ...]`.
    """
    batch = next(evaluator.batches(num_examples))
    seed, config = evaluator.config.seed, evaluator.config.eval
    solve = FixedSteps(EULER, config.generation_steps)
    guidance = evaluator.guidance(config.generation_steps)
    generated = evaluator.call(
        predictions.generate, trained, seed, batch, "labels", solve=solve, guidance=guidance
    )
    once = FixedSteps(EULER, 1)
    predicted = evaluator.call(predictions.recognize, trained, seed, batch, "image", solve=once)
    pictures = {
        "image": batch["image"],
        "labels": batch["labels"],
        "generated": generated.images,
        "predicted": predicted.labels,
    }
    return {name: np.asarray(array)[:num_examples] for name, array in pictures.items()}
