"""Trainings of flow maps, of their own velocity or towards a frozen run's."""

import json
import shutil

import jax
import numpy as np
import pytest

import symmflow_jax
from symmflow_jax.loop.start import Start
from symmflow_jax.runs.origins.teacher import read_teacher
from symmflow_jax.train import train_and_evaluate

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]

_MAP = {
    "train.clock": "mixed",
    "train.prob_at_one": 0.3,
    "train.objective": "flow_map",
    "train.num_epochs": 1.0,
    "eval.generation_solver": "flow_map",
    "eval.generation_steps": 1,
    "eval.metrics": ("recognition", "agreement"),
}


def _losses(folder):
    lines = (folder / "history.jsonl").read_text().splitlines()
    return [json.loads(line)["loss"] for line in lines]


def test_a_map_goes_on_bit_for_bit_and_generates_in_one_pass(
    make, trained_two_clocks, tmp_path, monkeypatch
):
    begun = {
        "train.init_from": str(trained_two_clocks),
        "train.map_target": str(trained_two_clocks),
    }
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    table = train_and_evaluate(make(**_MAP, **begun), whole)
    made = [m for m in table if m.metric == "agreement_accuracy"]
    assert [(m.protocol.solver, m.protocol.num_steps, m.nfe) for m in made] == [("flow_map", 1, 1)]
    shutil.copytree(whole, parts)
    shutil.rmtree(parts / "checkpoints" / "8")
    train_and_evaluate(make(**_MAP, **begun), parts)
    assert _losses(parts) == _losses(whole)
    weights = [jax.device_get(symmflow_jax.load(folder).weights) for folder in (whole, parts)]
    jax.tree.map(np.testing.assert_array_equal, *weights)
    assert np.any(weights[0].network["span"]["kernel"])
    # Its own velocity is another target.
    own = tmp_path / "own"
    quick = {"train.init_from": str(trained_two_clocks), "eval.metrics": ("objective",)}
    train_and_evaluate(make(**_MAP | quick), own)
    assert _losses(own)[0] != _losses(whole)[0]
    # In Python.
    model = symmflow_jax.load(whole)
    key, labels = jax.random.key(0), np.arange(8)
    jumped = model.generate(labels, key, num_steps=2, solver="flow_map")
    assert jumped.shape == (8, 16) and np.isfinite(jumped).all()
    with pytest.raises(ValueError, match="One step of 'euler' predicts semantics"):
        model.classify(jumped, key, solver="flow_map")
    flow = symmflow_jax.load(trained_two_clocks)
    with pytest.raises(ValueError, match="jumps over spans of time, which this network has not"):
        flow.generate(labels, key, num_steps=1, solver="flow_map")
    # A map is no teacher.
    another = make(**_MAP, **{"train.map_target": str(whole)})
    with pytest.raises(ValueError, match="it is a flow map itself"):
        Start.check(another, tmp_path / "another")


def test_teachers_of_another_kind_are_refused(make, trained, trained_two_clocks):
    assert read_teacher(make(**_MAP), None) is None
    one_clock = make(**_MAP, **{"train.map_target": str(trained)})
    with pytest.raises(ValueError, match="clocks is 'two, and a span', was 'one'"):
        read_teacher(one_clock, None)
    classes = {"data.class_names": tuple("abcdefgh")}
    others = make(**_MAP, **classes, **{"train.map_target": str(trained_two_clocks)})
    with pytest.raises(ValueError, match="of another kind: class names is"):
        read_teacher(others, None)
