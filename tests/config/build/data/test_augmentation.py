import numpy as np

from symmflow_jax.codecs.appearance import Appearance
from symmflow_jax.config import conversion
from symmflow_jax.config.build.data import augmentation
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.values import AppearanceConfig


def _config(**changes):
    values = conversion.default()
    values.update_from_flattened_dict(changes)
    return conversion.from_config_dict(values)


def test_changes_of_appearance_are_those_of_the_config():
    assert augmentation.make_appearance(AppearanceConfig(share=0.5)) is None
    changes = augmentation.make_appearance(AppearanceConfig(0.1, 0.2, 0.3, 0.4, 5.0, 0.6))
    assert changes == Appearance(0.1, 0.2, 0.3, 0.4, 5.0, 0.6)


def test_every_key_is_told_with_its_default():
    assert augmentation.in_words(_config()) == (
        "Augmentation (config.data): random_scale=(), random_crop=False, random_flip=False, "
        "random_vertical_flip=False, random_rotation=0.0, appearance.brightness=0, "
        "appearance.contrast=0, appearance.saturation=0, appearance.hue=0, appearance.blur=0, "
        "rare_class_sampling=0."
    )
    changed = _config(**{"data.appearance.hue": 0.1, "train.clock": "mixed"})
    assert "appearance.hue=0.1, appearance.blur=0, appearance.share=0.8" in (
        augmentation.in_words(changed)
    )


def test_examples_of_rare_classes_weigh_more():
    drawn = {"data.source": "shapes", "data.train_size": 20, "semantics.encoding": "onehot"}
    plain = Experiment(_config(**drawn))
    assert plain.example_weights is None and not plain.needs_class_counts
    experiment = Experiment(_config(**drawn, **{"data.rare_class_sampling": 1.0}))
    assert experiment.needs_class_counts
    occurs = experiment.class_table > 0
    factors = np.sqrt(1.0 / np.maximum(occurs.mean(axis=0), 1e-9))
    expected = np.where(occurs, factors, 0.0).max(axis=1)
    np.testing.assert_allclose(experiment.example_weights, expected)
    assert expected.min() > 1.0
