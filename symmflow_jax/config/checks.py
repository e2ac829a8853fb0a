"""Checks of the values of a config before anything is built: names of choices and ranges.

Checks that need files happen when the files are opened.
"""

import dataclasses
import operator
from collections.abc import Iterable

from symmflow_jax.config.build.data import sources
from symmflow_jax.config.build.data.fits import make_fit
from symmflow_jax.config.build.data.mixing import parts
from symmflow_jax.config.build.method import class_weights
from symmflow_jax.config.build.method.method import CLOCKS, key_of_two_clocks
from symmflow_jax.config.build.metrics import METRICS, make_conventions
from symmflow_jax.config.build.tables import TABLES
from symmflow_jax.config.choices import choose, listed
from symmflow_jax.config.schema import (
    augmentation,
    map_relations,
    measurement,
    old_names,
    own_data,
    places,
    ranges,
    relations,
)
from symmflow_jax.config.schema.fields import fields_of
from symmflow_jax.config.values import Config, DataConfig, EvalConfig
from symmflow_jax.flow.time_sampling import TimeSampling
from symmflow_jax.interop.hub.download import fetched
from symmflow_jax.runtime.errors import shown_value
from symmflow_jax.semantics.kinds import SemanticsKind

# Fixed choices, which are no tables because nothing can be added.
_SETS: dict[str, tuple[str, ...]] = {
    "data.on_error": ("raise", "skip"),
    "data.exif": ("apply", "ignore"),
    "data.ignored": ("unknown", "class"),
    "data.unlabelled": ("refuse", "learn"),
    "semantics.kind": ("", *SemanticsKind),
    "network.dtype": ("float32", "bfloat16"),
    "autoencoder.dtype": ("float32", "bfloat16"),
    "eval.clock": ("", "tied", "clean"),
    "eval.real_split": ("eval", "train"),
    "eval.checkpoint": ("latest", "best"),
    "plan.optimization_level": ("O0", "O1", "O2", "O3"),
}

# Keys with a table for which "" takes a default.
_MAY_BE_EMPTY = ("train.semantics_parameterization", "eval.fit")


# The sections without which there is no model, and whose numbers give its shapes.
_MODEL = ("data.", "semantics.", "network.", "autoencoder.")


def check(config: Config) -> None:
    """Raises a ValueError for the first invalid value; the message names it and the remedy."""
    _check_choices(config)
    places.check(config)
    _check_ranges(config, fields_of(Config))
    relations.check(config)
    own_data.check(config)
    make_fit(config)
    _check_latents(config.data)
    _check_clocks(config)
    parts.check(config)
    class_weights.check(config)
    map_relations.check(config)
    augmentation.check(config)
    _check_rows(config)
    _check_protocol(config)
    measurement.check(config)


def check_saved(config: Config) -> None:
    """Raises a ValueError if the config of a run, perhaps of an earlier version, gives no model.

    Training is over, so that its numbers do not matter: a run stays readable when their ranges
    become narrower.
    """
    _check_choices(config)
    _check_ranges(config, [key for key in fields_of(Config) if key.startswith(_MODEL)])
    relations.check_model(config)


def check_measured(config: Config) -> None:
    """Raises a ValueError if a run's model cannot be measured as the data and evaluation say.

    Data and evaluation are those of a command that was checked by itself, so that only what
    concerns both is checked.
    """
    own_data.check(config)
    measurement.check(config)


def check_files(values: EvalConfig) -> None:
    """Raises a ValueError if a file that the evaluation needs does not exist.

    It runs before training, so that a missing file is found early, and fetches those of the hub.
    """
    for key in ("feature_weights", "lpips_weights"):
        path = getattr(values, key)
        if path and not fetched(path).is_file():
            raise ValueError(
                f"config.eval.{key} is {path!r}, which is no file; `python -m "
                "symmflow_jax.interop.convert_metric_weights` and "
                "`--mode=train_classifier` make such files."
            )


def _check_choices(config: Config) -> None:
    for key, table in TABLES.items():
        for name in _names(operator.attrgetter(key)(config)):
            if name or key not in _MAY_BE_EMPTY:
                choose(table, name, f"config.{key}", old_names.advice(key, name))
    for key, names in _SETS.items():
        value = operator.attrgetter(key)(config)
        if value not in names:
            advice = old_names.advice(key, value)
            message = (
                f"config.{key} is {shown_value(value)}; choose one of {listed(names)}. {advice}"
            )
            raise ValueError(message.rstrip())
    sources.kind_of(config)


def _names(value: str | tuple[str, ...]) -> Iterable[str]:
    return (value,) if isinstance(value, str) else value


def _check_ranges(config: Config, keys: Iterable[str]) -> None:
    """Checks the numbers under some keys against the ranges in their types."""
    for key in keys:
        field, value = fields_of(Config)[key], operator.attrgetter(key)(config)
        if field.allowed is not None:
            given = value if field.is_tuple else None
            ranges.check(f"config.{key}", field.items(value), field.allowed, given)


def _check_latents(data: DataConfig) -> None:
    """Raises a ValueError if a cache of latents cannot hold the images of the training."""
    if data.latents and data.random_scale:
        raise ValueError(
            f"config.data.latents is {data.latents!r}, whose cached images have one scale, but "
            f"config.data.random_scale is {data.random_scale}; set it to (), or clear "
            "config.data.latents to encode in every step."
        )
    if data.latents and data.random_vertical_flip:
        raise ValueError(
            f"config.data.latents is {data.latents!r}, whose cached images are not mirrored top to "
            "bottom, but config.data.random_vertical_flip is set; set it to False, or clear "
            "config.data.latents to encode in every step."
        )


def _check_clocks(config: Config) -> None:
    """Checks the shares of the clocks, and the keys that need two clocks."""
    shares = dataclasses.asdict(config.train.clock_shares)
    if abs(sum(shares.values()) - 1.0) > 1e-6:
        given = ", ".join(f"{name} {share:g}" for name, share in shares.items())
        raise ValueError(f"config.train.clock_shares are {given}; they must add up to 1.")
    choice = CLOCKS[config.train.clock]
    if choice.num_clocks != choice.make(config.train).num_clocks:
        raise ValueError(
            f"config.train.clock is {config.train.clock!r} but config.train.clock_shares has tied "
            "times only; choose 'tied', or other shares."
        )
    key = key_of_two_clocks(config)
    if choice.num_clocks == 1 and key:
        two_clocks = [
            name
            for name, other in CLOCKS.items()
            if other.num_clocks > 1 and _learns_both(other.make(config.train))
        ]
        raise ValueError(
            f"config.{key} is {operator.attrgetter(key)(config)!r}, which needs a network that "
            "learns with a clock for each component; set config.train.clock to "
            f"{' or '.join(map(repr, two_clocks))}."
        )


def _learns_both(sampling: TimeSampling) -> bool:
    return sampling.learns_images and sampling.learns_semantics


def _check_rows(config: Config) -> None:
    """Checks metrics, solvers and step counts, and `original_size`."""
    if not config.eval.metrics:
        raise ValueError(f"config.eval.metrics is empty; give at least one of {listed(METRICS)}.")
    kind = sources.kind_of(config)
    for name in config.eval.metrics:
        if kind not in METRICS[name].kinds:
            raise ValueError(
                f"config.eval.metrics has {name!r}, which is of {METRICS[name].kinds[0]}s, but "
                f"this config learns {kind}s; leave it out."
            )
    if not config.eval.solvers or not config.eval.num_steps:
        raise ValueError(
            f"config.eval.solvers and num_steps are {config.eval.solvers} and "
            f"{config.eval.num_steps}; give at least one solver and one number of steps."
        )
    if config.eval.fit and not config.eval.original_size:
        raise ValueError(
            f"config.eval.fit is {config.eval.fit!r}, which reads whole images for scores at their "
            "own size; set config.eval.original_size=True, or clear config.eval.fit."
        )
    if config.eval.fit and not config.eval.scales:
        raise ValueError("config.eval.scales is empty; give factors such as (0.75, 1, 1.25).")
    if config.eval.original_size and kind is not SemanticsKind.MASK:
        raise ValueError(
            "config.eval.original_size is for masks, but this config learns labels, which have no "
            "size; set it to False."
        )


def _check_protocol(config: Config) -> None:
    """Checks that the conventions of the scores know the scores."""
    conventions = make_conventions(config.eval)
    if config.eval.original_size and conventions.prepares_as_in_training:
        raise ValueError(
            f"config.eval.original_size is set, but config.eval.protocol={config.eval.protocol!r} "
            "compares masks at the model's size alone; clear it, or choose protocol 'ours'."
        )
    is_label = sources.kind_of(config) is SemanticsKind.LABEL
    if config.eval.lpips_weights and conventions.balances_labels and is_label:
        raise ValueError(
            f"config.eval.lpips_weights is set, but config.eval.protocol={config.eval.protocol!r} "
            "generates images from labels in turn, which belong to no real image; clear it, or "
            "choose protocol 'ours'."
        )
