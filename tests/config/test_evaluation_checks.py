"""What is asked to be measured, and cannot be."""

import pytest

from symmflow_jax.config import conversion


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_seeds": 0}, "num_seeds is 0; it must be positive"),
        ({"solvers": ("euler,heun",)}, r"solvers is 'euler,heun'; choose one of euler, midpoint"),
        ({"num_steps": (5, 0)}, r"num_steps are .*\(5, 0\); .* steps of at least 1"),
        ({"num_steps": ()}, "at least one solver, and steps of at least 1"),
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
        conversion.from_json({"data": {"image_size": ()}, "eval": samples})
    labels = {"semantics": {"encoding": "plane"}, "eval": {"original_size": True}}
    with pytest.raises(
        ValueError, match="original_size is for masks, but this config learns labels"
    ):
        conversion.from_json(labels)


def test_masks_have_a_size_of_their_own_in_any_encoding():
    values = {"semantics": {"encoding": "onehot"}, "eval": {"original_size": True}}
    assert conversion.from_json(values).eval.original_size
