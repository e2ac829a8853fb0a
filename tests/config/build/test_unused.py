from symmflow_jax.config.build.unused import unused_keys
from symmflow_jax.config.values import Config, DataConfig, EvalConfig


def test_a_random_place_is_of_crops_alone():
    unused = [
        "data.random_crop" in unused_keys(Config(data=DataConfig(**data)))
        for data in ({}, {"fit": "stretch"}, {"random_scale": (0.5, 1.0)})
    ]
    assert unused == [False, True, True]
    points = Config(data=DataConfig(image_size=()))
    assert "data.fit" in unused_keys(points)


def test_options_of_views_are_used_by_those_that_take_them():
    unused = unused_keys(Config(eval=EvalConfig(original_size=True, fit="whole")))
    assert "eval.overlap" in unused and not {"eval.flips", "eval.scale"} & unused
    assert {"eval.flips", "eval.scales"} <= unused_keys(Config())


def test_a_likelihood_uses_the_steps_or_the_tolerance_of_its_solver():
    keys = {"eval.likelihood_steps", "eval.likelihood_tolerance"}
    for solver, unused in (
        ("dopri5", "eval.likelihood_steps"),
        ("rk4", "eval.likelihood_tolerance"),
    ):
        config = Config(eval=EvalConfig(likelihood_solver=solver))
        assert unused_keys(config) & keys == {unused}
