"""Checks of what the numbers of a config must be to each other.

The range of a single number stands in its type, in `values`.
"""

from symmflow_jax.config.build.method.networks import NETWORKS, num_halvings
from symmflow_jax.config.build.method.semantics import ENCODINGS
from symmflow_jax.config.values import AutoencoderConfig, Config, NetworkConfig, TrainConfig


def check(config: Config) -> None:
    """Raises a ValueError for the first numbers that do not fit together."""
    _check_rates(config.network)
    check_model(config)
    _check_schedule(config.train)
    if config.guidance.start > config.guidance.end:
        raise ValueError(
            f"config.guidance.start is {config.guidance.start} and config.guidance.end "
            f"{config.guidance.end}; the start must not be after the end."
        )


def check_model(config: Config) -> None:
    """Raises a ValueError for the first numbers without which there is no model."""
    _check_image_size(config)
    _check_network(config.network)
    if config.autoencoder.weights:
        _check_widths("autoencoder", config.autoencoder)
    _check_sides(config)
    if ENCODINGS[config.semantics.encoding].spaced_by_beta:
        _check_spacing(config)


def _check_image_size(config: Config) -> None:
    size, network = config.data.image_size, config.network.name
    if len(size) not in (0, 2):
        raise ValueError(
            f"config.data.image_size is {size}; give height and width, such as (32, 32), or () "
            "for points."
        )
    takes = NETWORKS[network].image_dims
    if len(size) not in takes:
        fitting = [name for name, choice in NETWORKS.items() if len(size) in choice.image_dims]
        meaning = "images" if size else "points"
        raise ValueError(
            f"config.data.image_size is {size}, which means {meaning}, but "
            f"config.network.name={network!r} is not for {meaning}; choose "
            f"{' or '.join(fitting)}, or set image_size to {'()' if size else '(32, 32)'}."
        )


def _check_network(network: NetworkConfig) -> None:
    used = NETWORKS[network.name].used_keys
    if "channel_multipliers" in used:
        _check_widths("network", network)
    elif "num_groups" in used:
        _check_groups("network", network)
    if {"attention_rates", "head_channels", "channel_multipliers"} <= used:
        _check_heads(network)


def _check_widths(section: str, values: NetworkConfig | AutoencoderConfig) -> None:
    if not values.channel_multipliers:
        raise ValueError(
            f"config.{section}.channel_multipliers is (); give one number for each level, such as "
            "(1, 2, 4)."
        )
    _check_groups(section, values)


def _check_groups(section: str, values: NetworkConfig | AutoencoderConfig) -> None:
    if values.channels % values.num_groups:
        raise ValueError(
            f"config.{section}.channels is {values.channels}, which num_groups="
            f"{values.num_groups} does not divide."
        )


def _widths_by_rate(network: NetworkConfig) -> dict[int, int]:
    """The width of each level of a U-Net by its downsampling rate."""
    multipliers = enumerate(network.channel_multipliers)
    return {2**level: multiplier * network.channels for level, multiplier in multipliers}


def _check_rates(network: NetworkConfig) -> None:
    widths = _widths_by_rate(network)
    for rate in network.attention_rates if widths else ():
        if rate not in widths and "attention_rates" in NETWORKS[network.name].used_keys:
            raise ValueError(
                f"config.network.attention_rates is {network.attention_rates}, but with "
                f"{len(widths)} channel_multipliers there is no level of rate {rate}; the rates "
                f"are {', '.join(map(str, widths))}."
            )


def _check_heads(network: NetworkConfig) -> None:
    """Checks that heads divide the width of each level with attention."""
    widths = _widths_by_rate(network)
    last = max(widths)
    for rate in sorted({*network.attention_rates, last} & set(widths)):
        if widths[rate] % network.head_channels:
            raise ValueError(
                f"config.network.head_channels is {network.head_channels}, which does not divide "
                f"the width {widths[rate]} of the level of rate {rate}, which has attention"
                f"{' always' if rate == last else ''}; choose a divisor of {widths[rate]}."
            )


def _check_sides(config: Config) -> None:
    """Checks that autoencoder and network can halve the images as often as they have to."""
    halvings = num_halvings(config)
    reason = f"config.network has {len(config.network.channel_multipliers)} channel_multipliers"
    if config.autoencoder.weights:
        reason += f" and config.autoencoder {len(config.autoencoder.channel_multipliers)}"
    for side in config.data.image_size:
        if side % 2**halvings:
            smaller = side - side % 2**halvings
            nearest = f"{smaller} or {smaller + 2**halvings}" if smaller else f"{2**halvings}"
            raise ValueError(
                f"config.data.image_size is {config.data.image_size}, but {reason}, so the sides "
                f"must be divisible by {2**halvings}; choose {nearest} instead of {side}, or fewer "
                "channel_multipliers."
            )


def _check_schedule(train: TrainConfig) -> None:
    if train.warmup_epochs > train.num_epochs:
        raise ValueError(
            f"config.train.warmup_epochs is {train.warmup_epochs:g}, longer than the training of "
            f"config.train.num_epochs={train.num_epochs:g}; lower it, for instance to "
            f"{train.num_epochs / 10:g}."
        )
    if train.end_learning_rate > train.peak_learning_rate:
        raise ValueError(
            f"config.train.end_learning_rate is {train.end_learning_rate:g}, above "
            f"config.train.peak_learning_rate={train.peak_learning_rate:g}; lower it."
        )


def _check_spacing(config: Config) -> None:
    if not config.semantics.dequantization_beta:
        raise ValueError(
            "config.semantics.dequantization_beta is 0.0, but for "
            f"config.semantics.encoding={config.semantics.encoding!r} it is the distance of the "
            "classes; it must be above 0."
        )
