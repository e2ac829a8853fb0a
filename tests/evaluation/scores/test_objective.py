"""The loss of examples whose losses are known."""

import jax.numpy as jnp
import pytest

from symmflow_jax.evaluation.evaluator import evaluator_of
from symmflow_jax.evaluation.scores import objective
from symmflow_jax.flow.objectives.symmetric import Losses
from symmflow_jax.inference.compiled import predictions


@pytest.fixture
def known(monkeypatch) -> list:
    """Losses of an example: its index, twice it, and how many batches there were; the calls."""
    calls = []

    def losses(method, weights, key, example_index, image, labels, loss_weights):
        calls.append(loss_weights)
        index = example_index.astype(jnp.float32)
        return Losses(total=index, image=2.0 * index, semantics=jnp.full_like(index, len(calls)))

    monkeypatch.setattr(predictions, "losses", losses)
    return calls


def test_the_loss_is_the_mean_over_examples_without_padding(tiny_experiment, evaluated, known):
    evaluator = evaluator_of(tiny_experiment())
    scores = objective.objective_of_seed(evaluator, evaluated, 3, num_examples=0)
    # Indices 0 to 11; eight examples of the first batch and four of the second.
    assert scores.values == {
        "loss": pytest.approx(5.5),
        "loss_image": pytest.approx(11.0),
        "loss_semantics": pytest.approx((8 * 1 + 4 * 2) / 12),
    }
    assert scores.num_examples == 12 and scores.nfe is None
    assert (scores.protocol.task, scores.protocol.seeds) == ("objective", (3,))
    assert known == [evaluator.experiment.loss_weights] * 2


def test_as_many_examples_as_asked_for(tiny_experiment, evaluated, known):
    evaluator = evaluator_of(tiny_experiment())
    scores = objective.objective_of_seed(evaluator, evaluated, 0, num_examples=5)
    assert scores.num_examples == 5 and scores.values["loss"] == pytest.approx(2.0)


def test_every_seed_counts(tiny_experiment, evaluated, known):
    values = {"eval.num_seeds": 2, "eval.num_examples": 8}
    findings = objective.make_objective(evaluator_of(tiny_experiment(**values)))(evaluated)
    found = {m.metric: (m.value, m.spread) for m in findings.table}
    assert found["loss"] == (pytest.approx(3.5), 0.0)
    # One batch for each seed: 1, then 2.
    assert found["loss_semantics"] == (pytest.approx(1.5), pytest.approx(0.5**0.5))
    assert {m.protocol.seeds for m in findings.table} == {(0, 1)}
    assert findings.confusion is None
