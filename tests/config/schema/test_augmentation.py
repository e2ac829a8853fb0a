"""Keys of augmentation that do not fit together, found before anything is built."""

import pytest

from symmflow_jax.config import conversion

_MIXED = {"train.clock": "mixed"}
_BRIGHT = {"data.appearance.brightness": 0.3}
_NO_CLEAN = {"train.clock_shares.clean_image": 0.0, "train.clock_shares.tied": 0.5}
_POINTS = {"data.image_size": (), "data.source": "spirals", "network.name": "mlp",
           "semantics.encoding": "plane"}  # fmt: skip


def _config(changes):
    values = conversion.default()
    values.update_from_flattened_dict(changes)
    return conversion.from_config_dict(values)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (_BRIGHT, "appearance.brightness is 0.3, which is for examples whose image is held clean "
         "and not learned, but config.train.clock='tied' has none of them; set config.train.clock "
         "to 'mixed' and config.train.clock_shares.clean_image above 0, or set it to 0."),
        ({"data.appearance.blur": 2, "train.clock": "independent"},
         "appearance.blur is 2, .* config.train.clock='independent' has none"),
        ({**_BRIGHT, **_MIXED, **_NO_CLEAN}, ".*config.train.clock='mixed' has none of them"),
        ({**_BRIGHT, **_MIXED, "data.latents": "cache"},
         "appearance.brightness is 0.3, which changes pixels, but config.data.latents is 'cache'"),
        ({**_MIXED, "data.appearance.hue": 0.1, "data.image_channels": 1},
         "appearance.hue is 0.1, which is of images with 3 channels, but "
         "config.data.image_channels is 1; set it to 0. Brightness, contrast and blur"),
        ({**_POINTS, **_BRIGHT, **_MIXED}, ".*means points, and they have no appearance"),
        ({**_POINTS, "data.random_rotation": 5.0}, "random_rotation is 5, .* means points"),
        ({"data.random_rotation": 5.0, "data.latents": "cache"},
         "random_rotation is 5, but config.data.latents is 'cache', whose images are not turned"),
        ({"data.random_rotation": 60.0}, "random_rotation is 60.0; it must be at least 0"),
        ({"data.appearance.hue": 0.7}, "appearance.hue is 0.7; it must be at least 0 and at most"),
        ({"data.rare_class_sampling": 1.5}, "rare_class_sampling is 1.5; it must be"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(changes, message):
    with pytest.raises(ValueError, match=f"config.data.{message}"):
        _config(changes)


@pytest.mark.parametrize(
    "changes",
    [{**_BRIGHT, **_MIXED}, {"data.random_rotation": 5.0},
     {**_BRIGHT, **_MIXED, "data.image_channels": 1}],
)  # fmt: skip
def test_what_fits_is_taken(changes):
    _config(changes)
