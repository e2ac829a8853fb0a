"""What a model costs: parameters, operations of a pass, steps and time."""

import jax.numpy as jnp
import pytest

from symmflow_jax.codecs.pixels import PixelCodec
from symmflow_jax.evaluation import cost
from symmflow_jax.evaluation.cost import Cost, cost_of, flops_of_pass
from symmflow_jax.evaluation.evaluator import EvaluatedWeights
from symmflow_jax.flow.time_sampling import TimeSampling
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.methods.weights import Weights
from symmflow_jax.networks.velocity.mlp import MLP
from symmflow_jax.runtime import files
from symmflow_jax.semantics.one_hot import OneHot

_COST = Cost(1234, 5e6, 30, 240, 12.5)


def _method(features: int, **changes) -> SymmFlow:
    return SymmFlow(MLP(features=features, num_layers=2), PixelCodec(OneHot(3), (2,)), **changes)


def test_operations_are_those_of_the_matrix_products():
    method = _method(128)
    found = cost_of(method, EvaluatedWeights(Weights(jnp.zeros(())), 30, 12.5), batch_size=8)
    # Almost all parameters are of matrices, of which each costs a product and a sum.
    assert found.flops_of_pass == pytest.approx(2 * found.num_parameters, rel=0.25)
    assert (found.train_steps, found.train_examples, found.train_seconds) == (30, 240, 12.5)


def test_one_task_costs_as_much_as_both():
    clocks = {"tied": 0.0, "clean_image": 0.5, "clean_semantics": 0.5}
    alone = {"tied": 0.0, "clean_image": 1.0, "prob_at_one": 1.0}
    both, one = (_method(64, time_sampling=TimeSampling(**shares)) for shares in (clocks, alone))
    assert flops_of_pass(both) == flops_of_pass(one)


def test_a_cost_comes_back_from_its_file(tmp_path):
    assert cost.read(tmp_path) is None
    files.write_json(tmp_path / cost.COST, _COST.to_json())
    assert cost.read(tmp_path) == _COST


@pytest.mark.parametrize("text", ["{", "[]", '{"num_parameters": 3}'])
def test_a_damaged_cost_is_named(tmp_path, text):
    (tmp_path / cost.COST).write_text(text)
    with pytest.raises(ValueError, match="cost.json is damaged .*write it again with --mode=eval"):
        cost.read(tmp_path)
