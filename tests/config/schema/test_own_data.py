"""Keys of the user's own data that do not fit together."""

import pytest

_N = {"data.source": "paired_folder", "data.image_channels": 5}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"data.val_share": 0.2}, r"val_share is 0.2, .*'shapes' has splits of its own.*labelme"),
        ({"data.folds": 3}, r"folds is 3, but config.data.source='shapes' has splits"),
        (
            {"data.source": "labelme", "data.val_share": 0.2, "data.folds": 2},
            r"val_share is 0.2 and config.data.folds 2; both share out one folder",
        ),
        ({"data.source": "labelme", "data.folds": 1}, "folds is 1; it takes at least 2 folds"),
        (
            {"data.source": "labelme", "data.folds": 3, "data.fold": 3},
            "fold is 3; with config.data.folds=3 it is 0 to 2",
        ),
        ({"data.fold": 1}, "fold is 1; with config.data.folds=0 it is 0"),
        ({"data.source": "paired_folder", "data.mask_pattern": "{x}"}, "mask_pattern is '{x}'"),
        (
            {"data.image_channels": 2},
            r"image_channels is 2 and image_depth 8, but .*'shapes' has images of 8 bits",
        ),
        ({"data.value_range": (0.0, 9.0)}, r"value_range is \(0.0, 9.0\), but images of 8 bits"),
        ({"data.picture_channels": (0,)}, r"picture_channels is \(0,\), but images of 8 bits"),
        (_N | {"data.value_range": (1.0, 2.0, 3.0)}, "give a lowest and a highest value"),
        (_N | {"data.value_range": (9.0, 0.0)}, r"9 is not below 0; give the lowest value first"),
        (_N | {"data.picture_channels": (0, 1)}, r"is \(0, 1\); give one or three of .*0 to 4"),
        (_N | {"data.picture_channels": (5,)}, r"is \(5,\); give one or three of the channels"),
        (
            _N | {"autoencoder.weights": "w", "data.image_size": (16, 16)},
            "the autoencoder .* is for colour images of 8 bits",
        ),
        (
            _N | {"data.image_depth": 16, "data.dequantize_images": True},
            "dequantize_images adds noise of half a level of 8 bits",
        ),
        (
            _N | {"eval.likelihood_examples": 2, "eval.metrics": ("likelihood",)},
            "the likelihood of config.eval.likelihood_examples is of images of 8 bits",
        ),
        (
            _N | {"eval.features": "inception", "eval.feature_weights": "f",
                  "eval.num_feature_samples": 2},
            "config.eval.features compares images of 1 or 3 channels; clear it",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_with_its_remedy(tiny_experiment, values, message):
    with pytest.raises(ValueError, match=message):
        tiny_experiment(**values)


def test_what_fits_is_taken(tiny_experiment):
    deep = {
        "data.image_depth": 16,
        "data.value_range": (0.0, 4095.0),
        "data.picture_channels": (4,),
    }
    experiment = tiny_experiment(**_N | deep | {"data.folds": 5, "data.fold": 4})
    assert experiment.photos.photos.shown_channels == [4]
    assert experiment.photos.photos.value_range == (0, 4095)
