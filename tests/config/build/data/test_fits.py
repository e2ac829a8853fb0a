"""The fit of a config."""

import pytest

from symmflow_jax.config import conversion
from symmflow_jax.config.build.data import fits
from symmflow_jax.config.values import Config, DataConfig
from symmflow_jax.data.geometry.fit import AtScale, Crop, Letterbox, Stretch


def test_a_fit_is_that_of_its_name_and_windows_have_a_scale():
    kinds = {"crop": Crop(), "letterbox": Letterbox(), "stretch": Stretch()}
    for name, fit in kinds.items():
        assert fits.make_fit(Config(data=DataConfig(fit=name))) == fit
    assert fits.make_fit(Config()) == Crop()
    windows = Config(data=DataConfig(random_scale=(0.75, 1.5)))
    assert fits.make_fit(windows) == AtScale(0.75, 1.5)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"random_scale": (0.5,)}, r"random_scale is \(0.5,\); give the smallest and the largest"),
        ({"random_scale": (1.5, 0.75)}, "give the smallest and the largest scale, such as"),
        ({"random_scale": (0.0, 1.0)}, "each number must be above 0"),
        (
            {"random_scale": (0.5, 1.0), "fit": "letterbox"},
            "config.data.fit='letterbox' keeps whole images; set config.data.fit to crop,",
        ),
        ({"random_scale": (0.5, 1.0), "latents": "cache"}, "cached images have one scale"),
    ],
)
def test_scales_that_cannot_be_are_refused(data, message):
    with pytest.raises(ValueError, match=message):
        conversion.from_json({"data": data})


def test_points_have_no_scale():
    values = {"data": {"image_size": (), "random_scale": (0.5, 1.0)}, "network": {"name": "mlp"}}
    with pytest.raises(ValueError, match="which means points, and they have no scale"):
        conversion.from_json(values)
