"""Checks of the keys of augmentation: what they need of the clock and of the images."""

from symmflow_jax.config.build.data.augmentation import make_appearance
from symmflow_jax.config.build.method.method import CLOCKS
from symmflow_jax.config.values import Config


def check(config: Config) -> None:
    """Raises a ValueError for the first key that clock, images or latents do not allow."""
    if config.data.random_rotation:
        turned = f"config.data.random_rotation is {config.data.random_rotation:g}"
        if not config.data.image_size:
            raise ValueError(
                f"{turned}, but config.data.image_size is empty, which means points, and they are "
                "not turned; set random_rotation to 0."
            )
        if config.data.latents:
            raise ValueError(
                f"{turned}, but config.data.latents is {config.data.latents!r}, whose images are "
                "not turned; set random_rotation to 0, or clear config.data.latents to encode in "
                "every step."
            )
    if make_appearance(config.data.appearance) is not None:
        _check_appearance(config)


def _check_appearance(config: Config) -> None:
    values, data = config.data.appearance, config.data
    key, size = next(
        (name, getattr(values, name))
        for name in ("brightness", "contrast", "saturation", "hue", "blur")
        if getattr(values, name)
    )
    changed = f"config.data.appearance.{key} is {size:g}"
    if not data.image_size:
        raise ValueError(
            f"{changed}, but config.data.image_size is empty, which means points, and they have no "
            "appearance; set it to 0."
        )
    if data.latents:
        raise ValueError(
            f"{changed}, which changes pixels, but config.data.latents is {data.latents!r}, which "
            "holds latents; set it to 0, or clear config.data.latents to encode in every step."
        )
    if data.image_channels != 3:
        for name in ("saturation", "hue"):
            if getattr(values, name):
                raise ValueError(
                    f"config.data.appearance.{name} is {getattr(values, name):g}, which is of "
                    f"images with 3 channels, but config.data.image_channels is "
                    f"{data.image_channels}; set it to 0. Brightness, contrast and blur change "
                    "images of any channels."
                )
    if not CLOCKS[config.train.clock].make(config.train).clean_image:
        raise ValueError(
            f"{changed}, which is for examples whose image is held clean and not learned, but "
            f"config.train.clock={config.train.clock!r} has none of them; set config.train.clock "
            "to 'mixed' and config.train.clock_shares.clean_image above 0, or set it to 0."
        )
