"""Checks of the keys of the user's own data: parts of one folder, patterns, and kinds of images."""

from symmflow_jax.config.build.data.openers import photo_format_of
from symmflow_jax.config.build.data.source_choice import SourceChoice
from symmflow_jax.config.build.data.sources import SOURCES
from symmflow_jax.config.choices import listed
from symmflow_jax.config.values import Config, DataConfig
from symmflow_jax.data.folders.patterns import check_pattern


def check(config: Config) -> None:
    """Raises a ValueError for the first key that its source, or another key, does not allow."""
    data, choice = config.data, SOURCES[config.data.source]
    _check_parts(data, choice)
    if data.mask_pattern:
        check_pattern(data.mask_pattern)
    _check_images(data, choice)
    if photo_format_of(data) is not None:
        _check_signals(config)


def _check_parts(data: DataConfig, choice: SourceChoice) -> None:
    for key in ("val_share", "folds"):
        if getattr(data, key) and key not in choice.used_keys:
            own = [name for name, other in SOURCES.items() if key in other.used_keys]
            raise ValueError(
                f"config.data.{key} is {getattr(data, key)}, but config.data.source="
                f"{data.source!r} has splits of its own; clear it. It is for {listed(own)}."
            )
    if data.val_share and data.folds:
        raise ValueError(
            f"config.data.val_share is {data.val_share} and config.data.folds {data.folds}; both "
            "share out one folder, so set one of them to 0."
        )
    if data.folds == 1:
        raise ValueError("config.data.folds is 1; it takes at least 2 folds, or 0 for none.")
    if data.fold >= max(1, data.folds):
        raise ValueError(
            f"config.data.fold is {data.fold}; with config.data.folds={data.folds} it is "
            f"{'0' if not data.folds else f'0 to {data.folds - 1}'}."
        )


def _check_images(data: DataConfig, choice: SourceChoice) -> None:
    is_given = data.image_channels not in (1, 3) or data.image_depth != 8
    if is_given and "image_depth" not in choice.used_keys:
        own = [name for name, other in SOURCES.items() if "image_depth" in other.used_keys]
        raise ValueError(
            f"config.data.image_channels is {data.image_channels} and image_depth "
            f"{data.image_depth}, but config.data.source={data.source!r} has images of 8 bits in "
            f"grey or colour; choose 1 or 3, and 8. Others are for {listed(own)}."
        )
    if not is_given and (data.value_range or data.picture_channels):
        key = "value_range" if data.value_range else "picture_channels"
        raise ValueError(
            f"config.data.{key} is {getattr(data, key)}, but images of 8 bits in grey or colour "
            "are read as they look; clear it, or set config.data.image_depth=16."
        )
    _check_range(data)
    shown = data.picture_channels
    if shown and (len(shown) not in (1, 3) or max(shown) >= data.image_channels):
        raise ValueError(
            f"config.data.picture_channels is {shown}; give one or three of the channels 0 to "
            f"{data.image_channels - 1}."
        )


def _check_range(data: DataConfig) -> None:
    given = data.value_range
    if not given:
        return
    if len(given) not in (2, 2 * data.image_channels):
        raise ValueError(
            f"config.data.value_range is {given}; give a lowest and a highest value, or both for "
            f"each of the {data.image_channels} channels."
        )
    for low, high in zip(given[::2], given[1::2], strict=True):
        if not low < high:
            raise ValueError(
                f"config.data.value_range is {given}, where {low:g} is not below {high:g}; give "
                "the lowest value first."
            )


def _check_signals(config: Config) -> None:
    """Checks that nothing is asked for that only 8-bit pictures in grey or colour have."""
    data = config.data
    kind = f"config.data.image_channels is {data.image_channels} and image_depth {data.image_depth}"
    if config.autoencoder.weights:
        raise ValueError(
            f"{kind}, but the autoencoder of config.autoencoder.weights is for colour images of 8 "
            "bits; set 3 and 8, or clear it and config.data.latents."
        )
    if data.image_depth != 8 and data.dequantize_images:
        raise ValueError(
            f"{kind}, but config.data.dequantize_images adds noise of half a level of 8 bits; set "
            "it to False."
        )
    if config.eval.likelihood_examples:
        raise ValueError(
            f"{kind}, but the likelihood of config.eval.likelihood_examples is of images of 8 bits "
            "in grey or colour; set it to 0."
        )
    compares = [key for key in ("features", "lpips_weights") if getattr(config.eval, key)]
    if compares and data.image_channels not in (1, 3):
        raise ValueError(
            f"{kind}, but config.eval.{compares[0]} compares images of 1 or 3 channels; clear it."
        )
