"""Scores of likelihoods that are known."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.evaluation import likelihood
from symmflow_jax.evaluation.evaluator import EvaluatedWeights, evaluator_of
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.inference.compiled.predictions import Likelihood
from symmflow_jax.methods.likelihood import Density
from symmflow_jax.methods.weights import Weights

LIKELIHOOD = {
    "train.clock": "mixed",
    "data.dequantize_images": True,
    "eval.likelihood_examples": 11,
    "eval.likelihood_draws": 3,
    "eval.likelihood_probes": 2,
}
SIZE = 8 * 8 * 3


@pytest.fixture
def known(monkeypatch) -> list:
    """Densities under which example i has i bits a dimension; the arguments of the calls."""
    calls = []

    def log_likelihood(method, weights, key, example_index, image, labels, **options):
        calls.append(options)
        bits = np.asarray(example_index, np.float64) * SIZE
        return Likelihood(
            jnp.asarray(SIZE * math.log(127.5) - bits * math.log(2.0), jnp.float32),
            jnp.full(len(bits), 40),
        )

    monkeypatch.setattr(predictions, "log_likelihood", log_likelihood)
    return calls


def _table(experiment, evaluated):
    findings = likelihood.make_likelihood(evaluator_of(experiment))(evaluated)
    return {m.metric: m for m in findings.table}


def test_bits_are_means_without_padding_and_have_errors(tiny_experiment, evaluated, known):
    found = _table(tiny_experiment(**LIKELIHOOD), evaluated)
    for name in ("bits_per_dim", "bits_per_dim_unconditional"):
        # Examples 0 to 10, in two batches of 8.
        assert found[name].value == pytest.approx(5.0, abs=1e-4)
        error = found[name + likelihood.STANDARD_ERROR]
        assert error.value == pytest.approx(np.std(np.arange(11), ddof=1) / 11**0.5, rel=1e-4)
        assert found[name].num_examples == 11 and found[name].nfe == 40
    assert [call["of"] for call in known] == [d for d in Density for _ in range(2)]
    assert {(call["num_draws"], call["num_probes"]) for call in known} == {(3, 2)}


def test_masks_have_bits_for_each_pixel(tiny_experiment, evaluated, known):
    found = _table(tiny_experiment(**LIKELIHOOD), evaluated)["bits_per_pixel_semantics"]
    # A bin is six levels wide, so that the same densities are log2(6) fewer bits.
    assert found.value == pytest.approx(3 * (5.0 - math.log2(6.0)), abs=1e-3)


def test_the_protocol_tells_how(tiny_experiment, evaluated, known):
    found = _table(tiny_experiment(**LIKELIHOOD), evaluated)
    protocol = found["bits_per_dim"].protocol
    assert (protocol.task, protocol.row, protocol.clock) == ("likelihood", "dopri5", "clean")
    assert protocol.tolerance == 1e-5
    assert (protocol.ensemble_size, protocol.divergence) == (3, "2 random probes")
    assert protocol.dequantized and found["bits_per_dim_unconditional"].protocol.clock == "noise"


def test_nothing_is_measured_unless_asked_for(tiny_experiment, evaluated):
    evaluator = evaluator_of(tiny_experiment(**{"train.clock": "mixed"}))
    assert likelihood.make_likelihood(evaluator)(evaluated).table == []


def test_a_model_of_images_alone_has_one_density(tiny_experiment, evaluated, known):
    values = {"train.clock": "unconditional", "eval.metrics": ("likelihood",)}
    found = _table(tiny_experiment(**LIKELIHOOD | values), evaluated)
    names = {"bits_per_dim_unconditional", "bits_per_dim_unconditional_standard_error"}
    assert set(found) == names


def test_points_are_measured_in_nats(tiny_experiment, evaluated, known):
    points = {
        "data.source": "spirals",
        "data.image_size": (),
        "data.dequantize_images": False,
        "semantics.encoding": "onehot",
        "network.name": "mlp",
    }
    found = _table(tiny_experiment(**LIKELIHOOD | points), evaluated)
    nats = [i * SIZE * math.log(2.0) - SIZE * math.log(127.5) for i in range(11)]
    assert found["nats"].value == pytest.approx(np.mean(nats), rel=1e-5)
    assert found["nats"].protocol.divergence == "exact trace"
    assert "bits_semantics" not in found  # One-hot codes bear no noise.


def test_images_that_were_not_dequantised_are_told(tiny_experiment, evaluated, caplog):
    evaluator = evaluator_of(tiny_experiment(**LIKELIHOOD | {"data.dequantize_images": False}))
    likelihood.make_likelihood(evaluator)
    assert "Train with config.data.dequantize_images=True" in caplog.text


def test_a_network_gives_the_same_nats_in_any_batch(tiny_experiment):
    values = LIKELIHOOD | {
        "data.source": "spirals",
        "data.image_size": (),
        "data.dequantize_images": False,
        "network.name": "mlp",
        "semantics.encoding": "onehot",
        "train.clock": "unconditional",
        "eval.metrics": ("likelihood",),
        "eval.likelihood_solver": "midpoint",
        "eval.likelihood_steps": 2,
        "eval.likelihood_examples": 5,
    }
    found = []
    for batch_size in (8, 2):
        experiment = tiny_experiment(**values | {"eval.batch_size": batch_size})
        params = experiment.method.init(jax.random.key(0))
        weights = Weights(jax.tree.map(lambda leaf: leaf + 0.05, params))
        measured = _table(experiment, EvaluatedWeights(weights, 0))
        found.append(
            [measured[f"nats_unconditional{end}"].value for end in ("", "_standard_error")]
        )
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)
    # A normal law of two dimensions has 1.84 nats in its middle.
    assert 1.0 < found[0][0] < 10.0 and 0.0 < found[0][1] < 3.0
