"""Metrics by name, and what generated images are compared by."""

import pytest

from symmflow_jax.config.build.metrics import (
    FEATURES,
    METRICS,
    PROTOCOLS,
    make_conventions,
    make_feature_function,
    make_perceptual_distance,
)
from symmflow_jax.config.values import EvalConfig
from symmflow_jax.semantics.kinds import SemanticsKind


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_made_for_an_evaluator(tiny_experiment, name):
    encodings = {SemanticsKind.MASK: "palette", SemanticsKind.LABEL: "colour"}
    encoding = encodings[METRICS[name].kinds[0]]
    values = {"eval.metrics": (name,), "semantics.encoding": encoding}
    (make,) = tiny_experiment(**values).metrics()
    assert callable(make) and make is METRICS[name].resolve()


def test_metrics_of_labels_are_refused_for_masks(tiny_experiment):
    message = "has 'selective_recognition', which is of labels, but this config learns masks; leave"
    with pytest.raises(ValueError, match=message):
        tiny_experiment(**{"eval.metrics": ("objective", "selective_recognition")})


@pytest.mark.parametrize("name", PROTOCOLS)
def test_conventions_bear_the_name_of_their_protocol(name):
    assert make_conventions(EvalConfig(protocol=name)).name == name
    assert make_conventions(EvalConfig()).name == "ours"


def test_metrics_come_in_the_order_of_the_config(tiny_experiment):
    names = ("objective", "recognition")
    made = tiny_experiment(**{"eval.metrics": names}).metrics()
    assert [make.__name__ for make in made] == ["make_objective", "make_recognition"]


def test_unknown_metrics_and_features_are_refused_with_the_list(tiny_experiment):
    with pytest.raises(ValueError, match="metrics is 'fid'; choose one of recognition, selec"):
        tiny_experiment(**{"eval.metrics": ("objective", "fid")})
    with pytest.raises(ValueError, match="features is 'fid'; choose one of '' .none., inception"):
        tiny_experiment(**{"eval.features": "fid"})


@pytest.mark.parametrize("name", FEATURES)
def test_features_need_the_file_of_their_weights(name, tmp_path):
    config = EvalConfig(features=name, feature_weights=str(tmp_path / "none.safetensors"))
    if not name:
        assert make_feature_function(config) is None
        return
    with pytest.raises(ValueError, match="none.safetensors"):
        make_feature_function(config)


def test_without_weights_there_is_no_perceptual_distance(tmp_path):
    assert make_perceptual_distance(EvalConfig()) is None
    with pytest.raises(ValueError, match="none.safetensors"):
        make_perceptual_distance(EvalConfig(lpips_weights=str(tmp_path / "none.safetensors")))
