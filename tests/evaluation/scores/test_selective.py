"""Labels that are graded: known answers, and imported models of MedSymmFlow's form."""

import json
import pathlib
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import symmflow_jax
from symmflow_jax.codecs import autoencoder_weights
from symmflow_jax.config import conversion
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.reading import config_file
from symmflow_jax.evaluation.evaluator import EvaluatedWeights, evaluator_of
from symmflow_jax.evaluation.scores.selective import (
    GradedLabels,
    _Collector,
    make_selective_recognition,
)
from symmflow_jax.flow import tasks
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps
from symmflow_jax.flow.solvers.runge_kutta import EULER
from symmflow_jax.inference.compiled.predictions import SemanticsPrediction
from symmflow_jax.interop.names import autoencoder as names
from symmflow_jax.preparation.import_weights import import_weights
from symmflow_jax.semantics.class_plane import ClassPlane
from symmflow_jax.semantics.one_hot import OneHot

FIXTURE = pathlib.Path(__file__).parents[2] / "fixtures" / "class_models.npz"
CONFIG = pathlib.Path(__file__).parents[3] / "configs" / "medmnist.py"
ARCHIVES = {"pixel": "dermamnist", "latent": "retinamnist_224"}


@pytest.fixture
def graded():
    """Four answers, of which the third is wrong, and is the farthest from its code."""
    distances = np.array([[1.0, 9.0], [4.0, 2.0], [5.0, 6.0], [8.0, 2.0]])
    shares = 1 / distances
    return GradedLabels(
        targets=np.array([0, 1, 1, 1]),
        labels=np.array([0, 1, 0, 1]),
        probabilities=shares / shares.sum(axis=1, keepdims=True),
        distances=distances,
        uncertainty={
            "distance": np.array([1.0, 2.0, 5.0, 2.0]),
            "confidence": np.array([0.1, 0.6, 0.4, 0.2]),
        },
    )


def test_both_areas_under_the_curve_are_told(graded):
    # Of probabilities, each example of the second class is above the only one of the first.
    # Of distances, a score of 6 is also above 9, and 5, 4 and 8 are beyond 1.
    assert graded.scores() == {"auc": 1.0, "auc_of_distances": 1.0}
    farther = graded.distances + np.array([[0.0, 0.0], [0.0, 8.0], [0.0, 0.0], [0.0, 0.0]])
    changed = GradedLabels(
        graded.targets, graded.labels, graded.probabilities, farther, graded.uncertainty
    )
    # The second class: of three pairs one is now the wrong way round.
    assert changed.scores() == {"auc": 1.0, "auc_of_distances": pytest.approx((1 + 2 / 3) / 2)}
    only = GradedLabels(graded.targets, graded.labels, graded.probabilities, None, {})
    assert only.scores() == {"auc": 1.0}


def test_the_least_sure_are_rejected_by_each_uncertainty(graded):
    curves = graded.rejection()
    assert list(curves) == ["distance", "confidence"]
    # A quarter of the answers: that which is wrong, or the second one.
    assert curves["distance"].accuracy[[0, 4, 5]].tolist() == [0.75, 0.75, 1.0]
    assert curves["confidence"].accuracy[5] == pytest.approx(2 / 3)
    # Equal distances go by the confidence: the last one stays before the second one.
    assert curves["distance"].kept[10] == 2
    assert curves["distance"].auc[10] == 1.0 and np.isnan(curves["distance"].auc[15])


def test_without_answers_there_is_no_curve():
    nothing = np.zeros((0, 2))
    empty = GradedLabels(
        np.zeros(0, int), np.zeros(0, int), nothing, nothing, {"distance": np.zeros(0)}
    )
    assert empty.rejection() == {}
    assert np.isnan(list(empty.scores().values())).all()


def _collected(encoding, has_draws, ignored=(), **given):
    """What a collector makes of two batches of two: four examples, and the last one is padding."""
    collector = _Collector(4, 2, encoding)
    for start, valid in ((0, [True, True]), (2, [True, False])):
        part = np.s_[start : start + 2]
        batch = types.SimpleNamespace(
            valid=np.array(valid),
            # Padding repeats the first example of its batch.
            example_index=np.array([start, start + 1 if all(valid) else start]),
            labels=np.array([0, 1, 1, 0])[part],
        )
        values = {name: value[part] for name, value in given.items()}
        sure = np.array([0.9, 0.8, 0.6, 0.1])[part]
        result = SemanticsPrediction(
            np.array([0, 1, 0, 1])[part], sure, 1 - sure, None, sure, np.ones(2)
        )
        collector.add(batch, result._replace(**values))
    return collector.graded(has_draws, ignored)


def test_answers_of_probabilities_are_gathered_without_padding():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.0, 1.0]])
    found = _collected(OneHot(2), has_draws=False, probabilities=probabilities)
    np.testing.assert_array_equal(found.targets, [0, 1, 1])
    np.testing.assert_array_equal(found.labels, [0, 1, 0])
    np.testing.assert_array_equal(found.probabilities, probabilities[:3])
    assert found.distances is None and list(found.uncertainty) == ["confidence", "entropy"]
    np.testing.assert_allclose(found.uncertainty["confidence"], [0.1, 0.2, 0.4])
    # Ignored classes do not count.
    ignoring = _collected(OneHot(2), False, (1,), probabilities=probabilities)
    np.testing.assert_array_equal(ignoring.targets, [0])


def test_answers_of_distances_have_that_of_their_own_code():
    distances = np.array([[1.0, 3.0], [6.0, 2.0], [1.0, 1.5], [9.0, 9.0]])
    encoding = ClassPlane(2, (), 4.0)
    found = _collected(encoding, has_draws=False, distances=distances)
    assert list(found.uncertainty) == ["distance", "confidence"]
    np.testing.assert_array_equal(found.uncertainty["distance"], [1.0, 2.0, 1.0])
    np.testing.assert_allclose(found.probabilities[:, 0], [0.75, 0.25, 0.6], rtol=1e-6)
    drawn = _collected(encoding, has_draws=True, distances=distances)
    assert list(drawn.uncertainty) == ["distance", "confidence", "entropy"]


def test_what_ranks_no_classes_is_refused(striped):
    with pytest.raises(ValueError, match=r"PaletteMask ranks no classes .*such as recognition"):
        make_selective_recognition(striped())


@pytest.fixture
def imported(tmp_path, weights_by_name, torch_pickles):
    """A function from "pixel" or "latent" to an imported model, and what PyTorch has computed."""
    arrays = dict(np.load(FIXTURE))
    settings = json.loads(str(arrays["settings"]))

    def make(name):
        case = settings["cases"][name]
        weights = {key: weights_by_name(key, tuple(s)) for key, s in case["network_shapes"].items()}
        path = torch_pickles.save(tmp_path / "FM_beta4.0_rgb.pt", weights)
        values = config_file.load(f"{CONFIG}:{ARCHIVES[name]}")
        sizes = {
            **{f"network.{key}": value for key, value in settings["network"].items()},
            **{f"autoencoder.{key}": value for key, value in settings["autoencoder"].items()},
            "network.dtype": "float32",
            "autoencoder.dtype": "float32",
            "data.image_size": [case["size"]] * 2,
            "data.dir": str(tmp_path),
            "eval.batch_size": 8,
            "eval.num_steps": [2],
            "eval.ensemble_size": 2,
        }
        values.update_from_flattened_dict(
            {key: tuple(v) if isinstance(v, list) else v for key, v in sizes.items()}
        )
        if name == "latent":
            values.autoencoder.weights = str(tmp_path / "vae.safetensors")
        experiment = Experiment(conversion.from_config_dict(values))
        if name == "latent":
            network = experiment.without_files().method.codec.autoencoder
            shapes = case["autoencoder_shapes"].items()
            state_dict = {key: weights_by_name(key, tuple(shape)) for key, shape in shapes}
            params = names.params_from_state_dict(state_dict, network)
            autoencoder_weights.write(tmp_path / "vae.safetensors", params, network)
        import_weights(experiment, path, tmp_path / "run")
        case_arrays = {k.removeprefix(f"{name}/"): v for k, v in arrays.items() if name in k}
        return experiment, symmflow_jax.load(tmp_path / "run"), case_arrays

    return make


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHIVES)
def test_imported_models_read_labels_as_the_published_code_does(imported, name, tmp_path):
    experiment, model, arrays = imported(name)
    method, codec = model.method, model.method.codec
    x, y = jnp.asarray(arrays["x"]), jnp.asarray(arrays["y"])
    velocity = method.velocity(model.weights)

    @jax.jit
    def read(x, y):
        solution = tasks.predict_semantics(velocity, x, y, FixedSteps(EULER, 2))
        picture = codec.decode_semantics(model.weights.codec, solution.state.semantics)
        return picture, codec.encoding.distances(picture), codec.encoding.decode(picture)

    picture, distances, labels = read(x, y)
    np.testing.assert_allclose(picture, arrays["picture"], rtol=0, atol=2e-4)
    np.testing.assert_allclose(distances, 127.5 * arrays["distances"], rtol=1e-4)
    np.testing.assert_array_equal(labels, np.argmin(arrays["distances"], axis=1))
    # The same run, evaluated on an archive in MedMNIST's layout.
    rng = np.random.default_rng(0)
    split = {
        "test_images": rng.integers(0, 256, (12, 10, 10, 3), np.uint8),
        "test_labels": np.arange(12, dtype=np.uint8)[:, None] % model.schema.num_classes,
    }
    np.savez(tmp_path / f"{ARCHIVES[name]}.npz", **split)
    evaluator = evaluator_of(model.experiment.measured_as(experiment))
    weights = EvaluatedWeights.of(model)
    found = make_selective_recognition(evaluator)(weights)
    values = {m.metric: m.value for m in found.table}
    assert list(values)[:3] == ["accuracy", "auc", "auc_of_distances"]
    assert all(0.0 <= value <= 1.0 for value in values.values())
    assert found.table[0].num_examples == 12 and found.table[0].nfe == 4.0
    assert values["accuracy"] == found.confusion.counts.trace() / 12
    curves = found.rejection["euler 2"]
    assert list(curves) == ["distance", "confidence", "entropy"]
    for curve in curves.values():
        assert curve.accuracy[0] == values["accuracy"] and curve.auc[0] == values["auc"]
