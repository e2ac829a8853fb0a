"""Values that cannot be, found before anything is built."""

import pytest

from symmflow_jax.config import checks, conversion
from symmflow_jax.config.build.tables import TABLES
from symmflow_jax.config.values import EvalConfig

_LAST_OF_TABLES = {key: list(table)[-1] for key, table in TABLES.items()}
_LAST_OF_SETS = {
    "data.on_error": "skip",
    "network.dtype": "bfloat16",
    "eval.clock": "clean",
    "eval.checkpoint": "best",
    "plan.optimization_level": "O3",
}


@pytest.mark.parametrize(("key", "choice"), (_LAST_OF_TABLES | _LAST_OF_SETS).items())
def test_choices_are_listed(key, choice):
    section, _, name = key.rpartition(".")
    values = {name: "nothing"}
    message = rf"config\.{key} is 'nothing'; choose one of .*{choice}\.$"
    with pytest.raises(ValueError, match=message):
        conversion.from_json({section: values} if section else values)


def test_a_cache_of_latents_has_no_images_upside_down():
    data = {"latents": "cache", "random_vertical_flip": True}
    message = r"latents is 'cache', .*\.random_vertical_flip is set; set it to False, or clear"
    with pytest.raises(ValueError, match=message):
        conversion.from_json({"data": data})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train.clock": "loose"}, "clock is 'loose'; choose one of tied, independent, mixed"),
        ({"train.clock_shares.tied": 0.5}, "clock_shares are tied 0.5, .* must add up to 1"),
        (
            {
                "train.clock": "mixed",
                "train.clock_shares.tied": 1.0,
                "train.clock_shares.independent": 0.0,
                "train.clock_shares.clean_image": 0.0,
                "train.clock_shares.clean_semantics": 0.0,
            },
            "has tied times only; choose 'tied'",
        ),
        (
            {"eval.clock": "clean"},
            "eval.clock is 'clean', which needs a network that learns with a",
        ),
        ({"guidance.weight": 2.0}, "guidance.weight is 2.0, which needs a network that learns"),
        (
            {"train.clock_shares.tied": 1.25, "train.clock_shares.independent": -0.25},
            r"config\.train\.clock_shares\.tied is 1\.25; it must be at least 0 and at most 1",
        ),
    ],
)
def test_clocks_that_cannot_be_are_refused(changes, message):
    values = conversion.default()
    values.update_from_flattened_dict(changes)
    with pytest.raises(ValueError, match=message):
        conversion.from_config_dict(values)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"solvers": ("euler,heun",)}, r"solvers is 'euler,heun'; choose one of euler, midpoint"),
        ({"num_steps": (5, 0)}, r"num_steps is \(5, 0\); each number must be at least 1"),
        ({"num_steps": ()}, "give at least one solver and one number of steps"),
        ({"num_feature_samples": 1}, "num_feature_samples is 1; a distribution needs at least 2"),
        ({"num_feature_samples": 10}, "nothing compares the samples"),
        ({"features": "vgg"}, r"features is 'vgg'; choose one of '' \(none\), inception"),
        ({"features": "inception", "num_feature_samples": 10}, "feature_weights is empty"),
        ({"features": "inception", "feature_weights": "w"}, "num_feature_samples is 0"),
        ({"lpips_weights": "w"}, "num_feature_samples is 0"),
        ({"real_split": "test"}, "real_split is 'test'; choose one of eval, train"),
    ],
)
def test_what_is_measured_must_be_possible(changes, message):
    with pytest.raises(ValueError, match=message):
        conversion.from_json({"eval": changes})


def test_points_and_labels_have_no_images_or_masks_to_compare():
    samples = {"lpips_weights": "w", "num_feature_samples": 10}
    with pytest.raises(ValueError, match="image_size is empty, which means points"):
        conversion.from_json(
            {"data": {"image_size": ()}, "network": {"name": "mlp"}, "eval": samples}
        )
    labels = {"semantics": {"encoding": "plane"}, "eval": {"original_size": True}}
    with pytest.raises(
        ValueError, match="original_size is for masks, but this config learns labels"
    ):
        conversion.from_json(labels)


def test_the_published_protocol_has_no_scores_beyond_the_published_ones():
    published = {"protocol": "published"}
    with pytest.raises(ValueError, match="original_size is set, but config.eval.protocol='publ"):
        conversion.from_json({"eval": published | {"original_size": True}})
    samples = published | {"lpips_weights": "w", "num_feature_samples": 10}
    with pytest.raises(ValueError, match="labels in turn, which belong to no real image; clear it"):
        conversion.from_json({"semantics": {"encoding": "plane"}, "eval": samples})
    assert conversion.from_json({"eval": samples}).eval.lpips_weights == "w"
    with pytest.raises(ValueError, match="eval.protocol is 'paper'; choose one of ours, published"):
        conversion.from_json({"eval": {"protocol": "paper"}})


def test_masks_have_a_size_of_their_own_in_any_encoding():
    values = {"semantics": {"encoding": "onehot"}, "eval": {"original_size": True}}
    assert conversion.from_json(values).eval.original_size


@pytest.mark.parametrize("key", ["feature_weights", "lpips_weights"])
def test_files_that_an_evaluation_needs_must_be_there(tmp_path, key):
    checks.check_files(EvalConfig())
    path = tmp_path / "weights.safetensors"
    with pytest.raises(ValueError, match=rf"config\.eval\.{key} is .*, which is no file"):
        checks.check_files(EvalConfig(**{key: str(path)}))
    path.touch()
    checks.check_files(EvalConfig(**{key: str(path)}))


def test_files_of_the_evaluation_are_fetched_early(hub, hub_server):
    hub.repositories["o/n"] = hub_server.Repository({"main": {"lpips.safetensors": b"weights"}})
    values = conversion.default()
    values.eval.lpips_weights = "hf:o/n/lpips.safetensors"
    values.eval.num_feature_samples = 2
    config = conversion.from_config_dict(values)
    assert hub.requests == []  # Nothing is fetched to look at a config.
    checks.check_files(config.eval)
    assert hub.ranges() == [""]
    with pytest.raises(ValueError, match="Did you mean 'lpips.safetensors'"):
        checks.check_files(EvalConfig(lpips_weights="hf:o/n/lpips.pt"))


def test_a_view_is_for_scores_at_the_images_own_size():
    with pytest.raises(ValueError, match="eval.fit is 'tiles', .* set config.eval.original_size=T"):
        conversion.from_json({"eval": {"fit": "tiles"}})
    values = {"fit": "tiles", "original_size": True}
    assert conversion.from_json({"eval": values}).eval.fit == "tiles"
    with pytest.raises(ValueError, match="eval.scales is empty; give factors such as"):
        conversion.from_json({"eval": values | {"scales": ()}})
    with pytest.raises(ValueError, match="eval.overlap is 0.95; it must be .* at most 0.9"):
        conversion.from_json({"eval": values | {"overlap": 0.95}})
