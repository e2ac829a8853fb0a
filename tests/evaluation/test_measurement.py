"""Scores with their protocols."""

import dataclasses
import json
import math

import numpy as np
import pytest

from symmflow_jax.evaluation.measurement import Measurement, Protocol, Scores, over_seeds, score
from symmflow_jax.runtime import files

_PROTOCOL = Protocol(
    task="segmentation",
    dataset="shapes",
    split="test",
    image_size=(32, 48),
    crop="centre",
    scored_size="model",
    solver="euler",
    num_steps=1,
    weights="ema",
    train_step=30,
    seeds=(7,),
)


def _measurement(value: float = 0.5, metric: str = "miou", **protocol) -> Measurement:
    changed = dataclasses.replace(_PROTOCOL, **protocol)
    return Measurement(metric=metric, value=value, num_examples=500, nfe=1.0, protocol=changed)


def _scores(seed: int, value: float, nfe: float | None = 1.0, **class_iou: float) -> Scores:
    return Scores(
        values={"miou": value},
        num_examples=9,
        nfe=nfe,
        by_class={"iou": class_iou},
        protocol=dataclasses.replace(_PROTOCOL, seeds=(seed,)),
    )


def test_seeds_have_a_mean_and_a_spread():
    table = over_seeds([_scores(7, 0.5, sky=0.5, road=0.5), _scores(8, 0.6, sky=0.6)])
    assert table[0].value == pytest.approx(0.55)
    assert table[0].spread == pytest.approx(0.1 / np.sqrt(2))
    assert {m.class_name: m.value for m in table[1:]} == {"sky": table[0].value, "road": 0.5}
    assert {m.protocol.seeds for m in table} == {(7, 8)}
    assert {m.num_examples for m in table} == {9}


def test_one_seed_has_no_spread_and_a_class_of_one_of_two_seeds_an_unknown_one():
    (alone,) = over_seeds([_scores(7, 0.5)])
    assert (alone.value, alone.spread) == (0.5, None)
    *_, road = over_seeds([_scores(7, 0.5, road=0.5), _scores(8, 0.6)])
    assert road.class_name == "road" and math.isnan(road.spread)


def test_a_score_that_is_not_finite_has_no_spread():
    (found,) = over_seeds([_scores(7, 0.5), _scores(8, math.inf)])
    assert found.value == math.inf and math.isnan(found.spread)


def test_costs_are_averaged_where_something_was_integrated():
    assert over_seeds([_scores(0, 1.0, nfe=20.0), _scores(1, 1.0, nfe=23.0)])[0].nfe == 21.5
    assert over_seeds([_scores(0, 1.0, nfe=None)])[0].nfe is None


def test_measurements_survive_a_file():
    measurement = dataclasses.replace(_measurement(seeds=(1, 2)), spread=0.1, class_name="sky")
    values = json.loads(json.dumps(measurement.to_json()))
    assert values["dataset"] == "shapes" and values["value"] == 0.5
    assert Measurement.from_json(values) == measurement


@pytest.mark.parametrize(
    ("key", "value"),
    [("value", "0.5"), ("num_examples", 1.5), ("metric", None), ("seeds", 3), ("seeds", ["a"])],
)
def test_fields_of_another_type_are_named(key, value):
    values = json.loads(json.dumps(_measurement().to_json())) | {key: value}
    with pytest.raises(ValueError, match=f"^{key} is "):
        Measurement.from_json(values)


def test_files_of_earlier_versions_are_read():
    values = _measurement(ensemble_size=3, clock="clean").to_json()
    values |= {"num_draws": values.pop("ensemble_size"), "clock": "held"}
    assert Measurement.from_json(values) == _measurement(ensemble_size=3, clock="clean")


def test_scores_of_earlier_versions_follow_our_protocol():
    values = _measurement().to_json()
    for name in ("conventions", "dequantized", "conditions"):
        del values[name]
    assert Measurement.from_json(values) == _measurement()


def test_rows_are_called_by_their_solver_and_steps():
    assert _PROTOCOL.row == "euler 1"
    adaptive = dataclasses.replace(_PROTOCOL, solver="dopri5", num_steps=None, tolerance=1e-3)
    assert adaptive.row == "dopri5"


def test_checkpoints_are_compared_at_the_model_size():
    assert score([_measurement(0.3, scored_size="original"), _measurement(0.5)]) == 0.5


def test_checkpoints_are_compared_by_one_step():
    table = [_measurement(0.9, num_steps=25), _measurement(0.7, "loss"), _measurement(0.4)]
    assert score(table) == 0.4
    labels = {"task": "classification", "scored_size": None}
    assert (
        score([_measurement(0.1, "aurc", **labels), _measurement(0.8, "accuracy", **labels)]) == 0.8
    )


def test_a_score_that_is_not_defined_survives_a_file(tmp_path):
    undefined = _measurement(math.nan)
    files.write_json(tmp_path / "metrics.json", [undefined.to_json()])
    (values,) = json.loads((tmp_path / "metrics.json").read_text())
    assert values["value"] is None
    assert math.isnan(Measurement.from_json(values).value)


def test_a_score_that_is_not_defined_compares_no_checkpoints():
    assert score([_measurement(math.nan)]) is None
