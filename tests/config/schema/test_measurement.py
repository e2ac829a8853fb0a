"""What an evaluation may ask for."""

import pytest

from symmflow_jax.config import conversion
from symmflow_jax.config.schema import measurement
from symmflow_jax.config.values import EvalConfig
from symmflow_jax.data.source import numbered_classes


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"likelihood_solver": "euler"},
            r"'euler', but its error flatters: .* 0\.18 nats .*; choose one of midpoint, heun, rk4",
        ),
        ({"likelihood_solver": "rk"}, "likelihood_solver is 'rk'; choose one of euler"),
        (
            {"likelihood_examples": 5, "metrics": ("objective",)},
            "likelihood_examples is 5, but config.eval.metrics lacks 'likelihood', which measures",
        ),
        (
            {"lpips_weights": "w", "num_feature_samples": 9, "metrics": ("objective",)},
            "num_feature_samples is 9, but config.eval.metrics lacks 'sample_quality'",
        ),
    ],
)
def test_a_number_has_its_metric_and_a_likelihood_its_solver(values, message):
    with pytest.raises(ValueError, match=message):
        conversion.from_json({"eval": values})


def test_a_likelihood_may_be_asked_for():
    values = {"likelihood_examples": 5, "likelihood_solver": "dopri5"}
    assert conversion.from_json({"eval": values}).eval.likelihood_examples == 5


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "metrics has 'recognition', but the model learns images alone .*; choose from sample"),
        (
            {"eval": {"clock": "clean", "metrics": ("objective",)}},
            "eval.clock is 'clean', which is of images with semantics",
        ),
        (
            {"eval": {"metrics": ("objective",)}, "guidance": {"weight": 2.0}},
            r"guidance\.weight is 2\.0, which is of images with semantics",
        ),
    ],
)
def test_a_model_of_images_alone_is_asked_for_no_semantics(values, message):
    with pytest.raises(ValueError, match=message):
        conversion.from_json(values | {"train": {"clock": "unconditional"}})


@pytest.mark.parametrize(
    ("clock", "values", "message"),
    [
        (
            "recognition",
            {"eval": {"metrics": ("agreement",)}},
            "metrics is .*'agreement',.*, but the model learns recognition alone; choose from rec",
        ),
        (
            "recognition",
            {"eval": {"num_feature_samples": 10}},
            "num_feature_samples is 10, but the model learns recognition alone and has no 'sample",
        ),
        (
            "generation",
            {"eval": {"metrics": ("recognition",)}},
            "but the model learns generation alone; choose from sample_quality",
        ),
        (
            "generation",
            {"guidance": {"weight": 2.0}},
            "weight is 2.0, which needs times that config.train.clock='generation' does not learn",
        ),
        ("recognition", {"eval": {"clock": "tied"}}, "eval.clock is 'tied', which needs times"),
    ],
)
def test_a_model_of_one_task_is_not_asked_for_the_other(clock, values, message):
    with pytest.raises(ValueError, match=message):
        conversion.from_json(values | {"train": {"clock": clock}})


def _method(tiny_experiment, **values):
    return tiny_experiment(**values).with_schema(numbered_classes(3)).method


def test_the_model_decides_whatever_the_config_of_the_command_says(tiny_experiment):
    asked = EvalConfig(likelihood_examples=5)
    measurement.check_method(_method(tiny_experiment, **{"train.clock": "mixed"}), asked)
    measurement.check_method(_method(tiny_experiment), EvalConfig())
    with pytest.raises(ValueError, match="A likelihood needs a network with a clock for each"):
        measurement.check_method(_method(tiny_experiment), asked)
    alone = {"train.clock": "unconditional", "eval.metrics": ("objective",)}
    with pytest.raises(ValueError, match="metrics has 'recognition', but the model learns images"):
        measurement.check_method(_method(tiny_experiment, **alone), EvalConfig())
