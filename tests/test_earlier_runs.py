"""Runs of version c1991d0 load, go on and give what they gave (see make_earlier_runs.py)."""

import dataclasses
import json
import pathlib
import runpy
import tarfile

import numpy as np
import pytest

import symmflow_jax
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.evaluation.evaluator import EvaluatedWeights, evaluator_of
from symmflow_jax.evaluation.measurement import Measurement
from symmflow_jax.evaluation.sweep import measure
from symmflow_jax.loop.start import Start
from symmflow_jax.runs.identity import describe
from symmflow_jax.semantics import palettes
from symmflow_jax.semantics.labels import LabelSchema

pytestmark = pytest.mark.slow

FIXTURES = pathlib.Path(__file__).parent / "fixtures" / "earlier_runs"
NAMES = ("points_two_clocks", "scenes_one_clock")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folder of both runs."""
    folder = tmp_path_factory.mktemp("earlier_runs")
    for name in NAMES:
        with tarfile.open(FIXTURES / f"{name}.tar.xz") as archive:
            archive.extractall(folder, filter="data")
    return folder


def _by_name(table) -> dict[tuple, Measurement]:
    return {(m.metric, m.protocol.task, m.protocol.num_steps, m.class_name): m for m in table}


@pytest.mark.parametrize("name", NAMES)
def test_networks_are_what_they_were(runs, name):
    reference = np.load(FIXTURES / "velocities.npz")
    x, y, *expected = (reference[f"{name}/{part}"] for part in ("x", "y", "v_x", "v_y"))
    model = symmflow_jax.load(runs / name)
    assert model.step == 200
    for ours, theirs in zip(model.velocity(x, y, np.float32([0.1, 0.5, 0.9])), expected,
                            strict=True):  # fmt: skip
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_they_evaluate_to_the_same_metrics(runs, name):
    model = symmflow_jax.load(runs / name)
    evaluator = evaluator_of(model.experiment)
    table = _by_name(measure(evaluator, EvaluatedWeights.of(model)).table)
    saved = json.loads((FIXTURES / "metrics_of_named_streams.json").read_text())[name]
    expected = _by_name(map(Measurement.from_json, saved))
    # There are more metrics now.
    assert table.keys() >= expected.keys()
    for key, measurement in expected.items():
        assert table[key].value == pytest.approx(measurement.value, abs=5e-3), key
        # Earlier versions did not tell what the data was made of, nor how it was resized.
        protocol = dataclasses.replace(table[key].protocol, data_digest=None, resampling=None)
        assert protocol == measurement.protocol
    # With other noise, what the run itself measured is not far.
    first = _by_name(
        map(Measurement.from_json, json.loads((runs / name / "metrics.json").read_text()))
    )
    assert first.keys() == expected.keys()
    loss = ("loss", "objective", None, None)
    assert table[loss].value == pytest.approx(first[loss].value, rel=0.3)


@pytest.mark.parametrize("name", NAMES)
def test_their_configs_are_read_under_the_names_of_now(runs, name):
    saved = json.loads((runs / name / "config.json").read_text())
    experiment = Experiment.from_json(saved)
    assert experiment.train.prob_at_one == saved["train"]["share_at_one"]
    assert experiment.eval.ensemble_size == saved["eval"]["num_draws"]
    assert experiment.train.clock_shares.tied == saved["train"]["clock_shares"][0]
    assert experiment.train.clock == saved["train"]["clock"]


@pytest.mark.usefixtures("standard_dtype_promotion")
@pytest.mark.parametrize("name", NAMES)
def test_their_trainings_go_on(runs, name):
    saved = json.loads((runs / name / "config.json").read_text())
    saved["train"]["num_epochs"] = 26.0
    start = Start.check(Experiment.from_json(saved), runs / name)
    state = start.state
    assert start.step == 200
    assert np.asarray(state.step).ravel().tolist() == [200] * np.asarray(state.step).size


@pytest.fixture(scope="module")
def coloured(tmp_path_factory):
    """A function from "coco" or "levels" to a run whose colours changed later, and its experiment.

    The data lies elsewhere than at that time.
    """
    root = tmp_path_factory.mktemp("coloured")
    data = runpy.run_path(str(FIXTURES.parent / "coloured_data.py"))
    data["write_coco"](root / "data")
    data["write_levels"](root / "data" / "levels.npz")

    def open_run(name):
        with tarfile.open(FIXTURES / f"{name}.tar.xz") as archive:
            archive.extractall(root, filter="data")
        saved = json.loads((root / name / "config.json").read_text())
        saved["data"]["dir"] = str(root / "data" / ("" if name == "coco" else "levels.npz"))
        return root / name, Experiment.from_json(saved)

    return open_run


def _old_palette(name):
    """The colours of that time: numbers of classes on a lattice of 6 levels, or rounded shares."""
    if name == "coco":
        return (*palettes.lattice(6, 50)[:171], (250, 250, 250))
    return tuple(palettes.lattice(4, 75)[number] for number in (0, 10, 21, 32, 42, 52, 63))


@pytest.mark.usefixtures("standard_dtype_promotion")
@pytest.mark.parametrize("name", ["coco", "levels"])
def test_colours_of_a_run_are_those_that_it_was_trained_with(coloured, name):
    workdir, experiment = coloured(name)
    assert experiment.method.codec.encoding.palette != _old_palette(name)
    resumed = Start.check(experiment, workdir)
    assert resumed.step == (600 if name == "coco" else 2100)
    model = symmflow_jax.load(workdir)
    measured = model.experiment.measured_as(experiment)
    for kept in (resumed.experiment, model.experiment, measured):
        assert kept.method.codec.encoding.palette == _old_palette(name)
    # What it goes on to save has them too.
    assert LabelSchema.from_json(describe(resumed.experiment)["schema"]) == model.schema
    evaluator = evaluator_of(measured.changed({"eval.metrics": ("objective",)}))
    table = _by_name(measure(evaluator, EvaluatedWeights.of(model)).table)
    first = _by_name(map(Measurement.from_json, json.loads((workdir / "metrics.json").read_text())))
    loss = ("loss", "objective", None, None)
    assert table[loss].value == pytest.approx(first[loss].value, rel=0.3)
