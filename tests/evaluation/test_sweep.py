"""Evaluation: padding, batches and devices do not matter, and nothing is left to chance."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.source import DataError
from symmflow_jax.evaluation.evaluator import EvaluatedWeights, Evaluator, evaluator_of
from symmflow_jax.evaluation.measurement import Measurement, score
from symmflow_jax.evaluation.scores import generation
from symmflow_jax.evaluation.sweep import measure, measure_quickly
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.inference.compiled.predictions import SemanticsPrediction
from symmflow_jax.methods.weights import Weights
from symmflow_jax.runs import folder
from symmflow_jax.runs.pictures import grids
from symmflow_jax.semantics.labels import consecutive
from tests.campaigns.experiments import random_params

pytestmark = pytest.mark.slow

# Points, labels and an MLP: programs that compile in no time.
_POINTS = {
    "data.source": "spirals",
    "data.image_size": (),
    "semantics.encoding": "plane",
    "semantics.dequantization_beta": 4.0,
    "network.name": "mlp",
    "network.channels": 64,
    "network.num_res_blocks": 2,
}
# Masks and a U-Net, which take longer: one solver only.
_MASKS = {
    "eval.num_steps": (1,),
    "eval.generation_steps": 1,
}


@pytest.fixture
def evaluator(tiny_experiment):
    def make(**overrides) -> Evaluator:
        experiment = tiny_experiment(**overrides)
        return evaluator_of(experiment)

    return make


def _evaluated(evaluator: Evaluator) -> EvaluatedWeights:
    """Weights that do something: a U-Net's first ones give zero."""
    return EvaluatedWeights(Weights(random_params(evaluator.method)), train_step=7)


def _table(evaluator: Evaluator) -> list[Measurement]:
    return measure(evaluator, _evaluated(evaluator)).table


def test_figures_do_not_depend_on_batches_or_padding(evaluator):
    tables = [
        _table(evaluator(**_MASKS, **{"eval.batch_size": batch_size, "eval.num_generated": 6}))
        for batch_size in (4, 8)
    ]
    for first, second in zip(*tables, strict=True):
        assert second.value == pytest.approx(first.value, rel=1e-5)
        assert dataclasses.replace(second, value=first.value) == first
    counts = {m.protocol.task: m.num_examples for m in tables[0]}
    assert counts == {"segmentation": 12, "generation": 6, "objective": 12}
    assert {m.protocol.train_step for m in tables[0]} == {7}


def test_classes_are_measured_by_name(evaluator):
    measured = evaluator(**_MASKS)
    table = _table(measured)
    (miou,) = [m.value for m in table if m.metric == "miou"]
    by_name = {m.class_name: m.value for m in table if m.metric == "iou"}
    assert by_name.keys() <= set(measured.schema.names)
    assert np.mean(list(by_name.values())) == pytest.approx(miou)


def test_every_solver_reports_its_network_passes(evaluator):
    values = {"eval.solvers": ("euler", "rk4", "dopri5"), "eval.metrics": ("recognition",)}
    table = _table(evaluator(**_POINTS, **values))
    protocols = {m.protocol: m.nfe for m in table if m.metric == "accuracy"}
    passes = {(p.solver, p.num_steps, p.tolerance): nfe for p, nfe in protocols.items()}
    assert passes.pop(("dopri5", None, 1e-3)) > 6
    assert passes == {
        ("euler", 1, None): 1,
        ("euler", 2, None): 2,
        ("rk4", 1, None): 4,
        ("rk4", 2, None): 8,
    }


def test_repeats_have_noise_of_their_own(evaluator):
    once = _table(evaluator(**_POINTS))
    twice = _table(evaluator(**_POINTS, **{"eval.num_seeds": 2}))
    assert {m.spread for m in once} == {None}
    assert {m.protocol.seeds for m in once} == {(0,)}
    assert {m.protocol.seeds for m in twice} == {(0, 1)}
    (loss, repeated) = ([m for m in t if m.metric == "loss"][0] for t in (once, twice))
    # Of two values mean and standard deviation leave two choices for the first.
    distance = abs(repeated.value - loss.value)
    assert repeated.spread > 0
    assert distance * np.sqrt(2) == pytest.approx(repeated.spread)


def test_labels_come_with_accuracy_calibration_and_confusion(evaluator):
    measured = evaluator(**_POINTS, **{"eval.num_steps": (1,), "eval.ensemble_size": 3})
    findings = measure(measured, _evaluated(measured))
    found = {m.metric: m for m in findings.table if m.protocol.task == "classification"}
    assert findings.confusion.counts.sum() == 12
    assert np.trace(findings.confusion.counts) / 12 == found["accuracy"].value
    assert 0 <= found["calibration_error"].value <= 1
    # Three draws vote; their read-out is that of one.
    draws = {name: (m.protocol.ensemble_size, m.nfe) for name, m in found.items()}
    assert draws == dict.fromkeys(("accuracy", "calibration_error", "aurc"), (3, 3))
    # With all answers kept, the risk is the error rate of all.
    curve = findings.risk_coverage["euler 1"]
    assert curve.coverage[-1] == 1.0
    assert curve.risk[-1] == pytest.approx(1 - found["accuracy"].value)


def test_the_score_is_that_of_one_step(evaluator):
    measured = evaluator(**_MASKS)
    quick = measure_quickly(measured, _evaluated(measured))
    assert score(quick) == next(m.value for m in quick if m.metric == "miou")


def test_a_model_of_images_alone_has_a_loss_and_samples(evaluator):
    alone = {"train.clock": "unconditional", "eval.metrics": ("objective",)}
    measured = evaluator(**_POINTS | alone)
    quick = measure_quickly(measured, _evaluated(measured))
    assert [m.metric for m in quick] == ["loss", "loss_image", "loss_semantics"]
    assert score(quick) is None and quick[2].value == 0.0
    sample = generation.examples(measured, _evaluated(measured), 5)
    shapes = {name: array.shape for name, array in sample.items()}
    assert shapes == {"image": (5, 2), "generated": (5, 2)}


@pytest.mark.parametrize(
    ("clock", "metrics", "columns"),
    [
        ("recognition", {"accuracy", "calibration_error", "aurc"}, {"labels", "predicted"}),
        ("generation", set(), {"labels", "generated"}),
    ],
)
def test_a_model_of_one_task_has_the_rows_of_that_task(evaluator, clock, metrics, columns):
    measured = evaluator(**_POINTS | {"train.clock": clock})
    findings = measure(measured, _evaluated(measured))
    losses = {"loss", "loss_image", "loss_semantics"}
    assert {m.metric for m in findings.table} == metrics | losses
    rows = {m.protocol.row for m in findings.table if m.metric in metrics}
    assert rows == ({"euler 1"} if metrics else set())
    assert (score(measure_quickly(measured, _evaluated(measured))) is None) == (not metrics)
    sample = generation.examples(measured, _evaluated(measured), 5)
    assert sample.keys() == {"image"} | columns
    assert grids.sample_grid(sample, measured.schema).ndim == 3


def test_data_of_other_classes_is_refused(tiny_experiment):
    with pytest.raises(DataError, match=r"knows the classes a, b, but the data has background"):
        evaluator_of(tiny_experiment().with_schema(consecutive(("a", "b"))))


def test_a_sample_is_as_large_as_asked_for(evaluator):
    measured = evaluator(**_MASKS)
    sample = generation.examples(measured, _evaluated(measured), 5)
    assert {name: array.shape for name, array in sample.items()} == {
        "image": (5, 8, 8, 3),
        "labels": (5, 8, 8),
        "generated": (5, 8, 8, 3),
        "predicted": (5, 8, 8),
    }
    assert sample["generated"].dtype == np.uint8


@pytest.fixture
def pairs(tmp_path):
    """Masks of several sizes, with stripes that are gone at 8x8."""
    for split in ("train", "val"):
        for kind in ("images", "masks"):
            (tmp_path / split / kind).mkdir(parents=True)
        for number, shape in enumerate([(32, 32), (32, 48), (64, 64)]):
            mask = np.zeros(shape, np.uint8)
            mask[1::4] = 1  # Rows that the nearest pixels of an 8x8 mask are never taken from.
            image = np.zeros((*shape, 3), np.uint8)
            Image.fromarray(mask).save(tmp_path / split / "masks" / f"{number}.png")
            Image.fromarray(image).save(tmp_path / split / "images" / f"{number}.png")
    return {
        "data.source": "paired_folder",
        "data.dir": str(tmp_path),
        "data.class_names": ("wall", "stripe"),
        "eval.num_generated": 2,
    }


def test_masks_can_be_compared_at_their_own_size(evaluator, pairs, monkeypatch):
    def see_walls_only(method, params, key, example_index, image, solve, ensemble_size=1):
        labels = jnp.zeros(image.values.shape[:3], jnp.int32)
        ones = jnp.ones(labels.shape)
        return SemanticsPrediction(labels, ones, ones, None, ones, jnp.ones(len(labels), jnp.int32))

    monkeypatch.setattr(predictions, "predict_semantics", see_walls_only)
    values = {"eval.original_size": True, "eval.metrics": ("recognition",)}
    table = _table(evaluator(**_MASKS, **pairs, **values))
    found = {
        (m.metric, m.protocol.scored_size): m.value
        for m in table
        if m.protocol.task == "segmentation" and m.class_name is None
    }
    assert found["pixel_accuracy", "model"] == 1.0 and found["miou", "model"] == 1.0
    # A quarter of the rows is of the other class.
    assert found["pixel_accuracy", "original"] == 0.75
    assert found["miou", "original"] == pytest.approx((0.75 + 0) / 2)
    assert {m.num_examples for m in table if m.metric == "miou"} == {3}


def test_examples_that_cannot_be_read_do_not_count_where_they_are_skipped(
    tiny_experiment, pairs, tmp_path
):
    (tmp_path / "val/images/1.png").write_bytes(b"no picture")
    experiment = tiny_experiment(**_MASKS, **pairs)
    with pytest.raises(DataError, match=r"1\.png cannot be read"):
        _table(evaluator_of(experiment))
    experiment = tiny_experiment(**_MASKS, **pairs, **{"data.on_error": "skip"})
    table = _table(evaluator_of(experiment, tmp_path))
    counts = {m.protocol.task: m.num_examples for m in table}
    assert counts == {"segmentation": 2, "generation": 1, "objective": 2}
    (message,) = folder.read_skipped(tmp_path)
    assert "val/images/1.png cannot be read" in message


_CASES = (_MASKS, _POINTS | {"eval.num_seeds": 2})

# Evaluates the configs that are its argument on four devices, and prints their tables.
_SCRIPT = """
import json, runpy, sys
import jax
from symmflow_jax.runtime import compilation
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.evaluation.evaluator import evaluator_of
from symmflow_jax.methods.weights import Weights

compilation.choose_fast_cpu_kernels()
assert jax.device_count() == 4
table = runpy.run_path(sys.argv[1])["_table"]
for values in json.loads(sys.argv[2]):
    evaluator = evaluator_of(Experiment.from_json(values))
    print(json.dumps([m.to_json() for m in table(evaluator)]))
"""


def test_the_same_figures_again_and_on_four_devices(evaluator, simulated_devices):
    evaluators = [evaluator(**case) for case in _CASES]
    first, again = (
        [json.dumps([m.to_json() for m in _table(measured)]) for measured in evaluators]
        for _ in range(2)
    )
    assert first == again
    configs = [measured.experiment.to_json() for measured in evaluators]
    process = subprocess.run(
        [sys.executable, "-c", _SCRIPT, __file__, json.dumps(configs)],
        cwd=pathlib.Path(__file__).parents[2],
        env=os.environ | {"XLA_FLAGS": simulated_devices(4)},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    for one, four in zip(first, process.stdout.splitlines(), strict=True):
        for a, b in zip(json.loads(one), json.loads(four), strict=True):
            for name in ("value", "spread"):
                # A single seed has no spread.
                expected, found = (measured.pop(name) or 0.0 for measured in (a, b))
                assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)
            assert a == b
