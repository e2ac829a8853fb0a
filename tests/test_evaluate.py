"""Evaluation: padding never counts, and batches do not matter."""

import dataclasses

import jax
import numpy as np
import pytest

from symmflow_jax import build
from symmflow_jax.data.sources.source import DataError
from symmflow_jax.evaluate import evaluator_of, score
from symmflow_jax.labels import consecutive


@pytest.fixture
def evaluator(tiny_config):
    def make(**overrides):
        config = tiny_config(**overrides)
        return evaluator_of(config, build.schema(config, build.source(config, train=False)))

    return make


def _params(evaluator):
    return evaluator.flow.init(jax.random.key(0))


def test_figures_do_not_depend_on_batches_or_padding(evaluator):
    tables = []
    for batch_size in (4, 8):
        measured = evaluator(**{"eval.batch_size": batch_size, "eval.num_generated": 6})
        tables.append(measured.measure(_params(measured), train_step=7))
    for first, second in zip(*tables, strict=True):
        assert second.value == pytest.approx(first.value, rel=1e-5)
        assert dataclasses.replace(second, value=first.value) == first
    counts = {m.task: m.num_examples for m in tables[0]}
    assert counts == {"segmentation": 12, "generation": 6, "objective": 12}
    assert {m.train_step for m in tables[0]} == {7}


def test_classes_are_measured_by_name(evaluator):
    measured = evaluator(**{"eval.num_steps": (1,)})
    table = measured.measure(_params(measured), train_step=0)
    (miou,) = [m.value for m in table if m.metric == "miou"]
    by_name = {m.class_name: m.value for m in table if m.metric == "iou"}
    assert by_name.keys() <= set(measured.schema.names)
    assert np.mean(list(by_name.values())) == pytest.approx(miou)


def test_every_solver_reports_its_network_passes(evaluator):
    measured = evaluator(
        **{"eval.solvers": ("euler", "rk4"), "eval.num_examples": 4, "eval.num_generated": 4}
    )
    table = measured.measure(_params(measured), train_step=0)
    passes = {(m.solver, m.num_steps): m.nfe for m in table if m.metric == "miou"}
    assert passes == {("euler", 1): 1, ("euler", 2): 2, ("rk4", 1): 4, ("rk4", 2): 8}


def test_draws_multiply_the_network_passes(evaluator):
    measured = evaluator(**{"eval.num_draws": 3, "eval.num_steps": (2,), "eval.num_generated": 4})
    table = measured.measure(_params(measured), train_step=0)
    assert [(m.num_draws, m.nfe) for m in table if m.metric == "miou"] == [(3, 6)]


def test_the_score_is_that_of_one_step(evaluator):
    measured = evaluator()
    params = _params(measured)
    quick = measured.measure_quickly(params, train_step=0)
    assert score(quick) == next(m.value for m in quick if m.metric == "miou")


def test_data_of_other_classes_is_refused(tiny_config):
    with pytest.raises(DataError, match=r"knows the classes a, b, but the data has background"):
        evaluator_of(tiny_config(), consecutive(("a", "b")))


def test_a_sample_is_as_large_as_asked_for(evaluator):
    measured = evaluator()
    sample = measured.sample(_params(measured), count=5)
    assert {name: array.shape for name, array in sample.items()} == {
        "image": (5, 8, 8, 3),
        "labels": (5, 8, 8),
        "generated": (5, 8, 8, 3),
        "predicted": (5, 8, 8),
    }
    assert sample["generated"].dtype == np.uint8
