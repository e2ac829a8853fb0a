"""Numbers that do not fit together, found before any data is opened."""

import pytest

from symmflow_jax.config import conversion

_LATENT = {"autoencoder.weights": "vae", "network.name": "latent_unet"}
_POINTS = {"data.source": "spirals", "data.image_size": (), "semantics.encoding": "onehot"}


def _config(changes):
    values = conversion.default()
    values.update_from_flattened_dict(changes)
    return conversion.from_config_dict(values)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"train.warmup_epochs": 3.0, "train.num_epochs": 2.0},
            "config.train.warmup_epochs is 3, longer than the training of "
            "config.train.num_epochs=2; lower it, for instance to 0.2.",
        ),
        (
            {"train.end_learning_rate": 1e-2},
            "config.train.end_learning_rate is 0.01, above "
            "config.train.peak_learning_rate=0.0005; lower it.",
        ),
        (
            {"network.attention_rates": (1, 3)},
            "config.network.attention_rates is (1, 3), but with 4 channel_multipliers there is no "
            "level of rate 3; the rates are 1, 2, 4, 8.",
        ),
        (
            {"network.head_channels": 48},
            "config.network.head_channels is 48, which does not divide the width 64 of the level "
            "of rate 8, which has attention always; choose a divisor of 64.",
        ),
        (
            {"network.head_channels": 64, "network.attention_rates": (1,)},
            "config.network.head_channels is 64, which does not divide the width 32 of the level "
            "of rate 1, which has attention; choose a divisor of 32.",
        ),
        (
            {"network.num_groups": 5},
            "config.network.channels is 32, which num_groups=5 does not divide.",
        ),
        (
            {"autoencoder.num_groups": 5} | _LATENT,
            "config.autoencoder.channels is 128, which num_groups=5 does not divide.",
        ),
        (
            {"network.channel_multipliers": ()},
            "config.network.channel_multipliers is (); give one number for each level, such as "
            "(1, 2, 4).",
        ),
        (
            {"data.image_size": (30, 32)},
            "config.data.image_size is (30, 32), but config.network has 4 channel_multipliers, so "
            "the sides must be divisible by 8; choose 24 or 32 instead of 30, or fewer "
            "channel_multipliers.",
        ),
        (
            {"data.image_size": (96, 64)} | _LATENT,
            "config.data.image_size is (96, 64), but config.network has 4 channel_multipliers and "
            "config.autoencoder 4, so the sides must be divisible by 64; choose 64 or 128 instead "
            "of 96, or fewer channel_multipliers.",
        ),
        (
            {"data.image_size": (32, 32, 3)},
            "config.data.image_size is (32, 32, 3); give height and width, such as (32, 32), or "
            "() for points.",
        ),
        (
            {"data.image_size": ()},
            "config.data.image_size is (), which means points, but config.network.name='unet' is "
            "not for points; choose mlp, or set image_size to (32, 32).",
        ),
        (
            {"network.name": "mlp"},
            "config.data.image_size is (32, 32), which means images, but config.network.name='mlp' "
            "is not for images; choose unet or latent_unet, or set image_size to ().",
        ),
        (
            {"guidance.start": 0.75, "guidance.end": 0.25},
            "config.guidance.start is 0.75 and config.guidance.end 0.25; the start must not be "
            "after the end.",
        ),
        (
            {"semantics.encoding": "plane", "semantics.dequantization_beta": 0.0},
            "config.semantics.dequantization_beta is 0.0, but for "
            "config.semantics.encoding='plane' it is the distance of the classes; it must be "
            "above 0.",
        ),
    ],
)
def test_numbers_that_do_not_fit_together_are_named(changes, message):
    with pytest.raises(ValueError) as error:
        _config(changes)
    assert str(error.value) == message


@pytest.mark.parametrize(
    "changes",
    [
        {"train.warmup_epochs": 1.0, "train.num_epochs": 1.0},
        {"train.end_learning_rate": 5e-4},
        {"network.attention_rates": (1, 8), "network.head_channels": 32},
        {"data.image_size": (8, 16)},
        {"semantics.encoding": "palette", "semantics.dequantization_beta": 0.0},
        {"guidance.start": 0.5, "guidance.end": 0.5},
        # What a network does not use need not fit.
        _POINTS | {"network.name": "mlp", "network.channels": 33, "network.attention_rates": (3,)},
        # An autoencoder that is not there need not fit either.
        {"autoencoder.num_groups": 5},
    ],
)
def test_numbers_that_fit_are_taken(changes):
    _config(changes)
