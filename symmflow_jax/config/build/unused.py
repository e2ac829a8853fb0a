"""The keys of a config that its choices do not use."""

import dataclasses

from symmflow_jax.config.build.data.augmentation import make_appearance
from symmflow_jax.config.build.data.fits import make_fit
from symmflow_jax.config.build.data.mixing.parts import learns_unlabelled
from symmflow_jax.config.build.data.source_choice import SOURCE_KEYS
from symmflow_jax.config.build.data.sources import SOURCES
from symmflow_jax.config.build.method.class_weights import CLASS_WEIGHTS
from symmflow_jax.config.build.method.method import CLOCKS
from symmflow_jax.config.build.method.networks import NETWORKS
from symmflow_jax.config.build.method.objectives import has_span
from symmflow_jax.config.build.solvers import is_adaptive
from symmflow_jax.config.build.views import OPTIONS, VIEWS
from symmflow_jax.config.values import ClockShares, Config, EvalConfig, NetworkConfig


def unused_keys(config: Config) -> set[str]:
    """The dotted keys of a config that its choices do not use, such as "data.random_crop"."""
    unused = {
        "data": _of_data(config),
        "network": _names(NetworkConfig) - NETWORKS[config.network.name].used_keys,
        "train": _of_training(config),
        "eval": _of_evaluation(config.eval),
    }
    return {f"{section}.{key}" for section, keys in unused.items() for key in keys}


def _of_data(config: Config) -> set[str]:
    fit = make_fit(config)
    unused = {
        "random_crop": fit.draws or not fit.crops,
        "fit": not config.data.image_size,
        "unlabelled_images": not learns_unlabelled(config),
        "appearance.share": make_appearance(config.data.appearance) is None,
        "extra_share": not config.data.extra_dir,
    }
    return (SOURCE_KEYS - set(SOURCES[config.data.source].used_keys)) | _true(unused)


def _of_training(config: Config) -> set[str]:
    clock = CLOCKS[config.train.clock]
    is_unconditional = clock.make(config.train).is_unconditional
    unused = {
        "prob_at_one": clock.prob_at_one is not None or is_unconditional,
        "image_weight": clock.image_weight is not None,
        "unlabelled_share": not learns_unlabelled(config),
        "given_class_weights": not CLASS_WEIGHTS[config.train.class_weights].are_given,
    }
    of_maps = () if has_span(config) else ("map_share", "map_target", "map_guidance")
    shares = _names(ClockShares) if clock.shares is not None else set()
    return _true(unused) | set(of_maps) | {f"clock_shares.{name}" for name in shares}


def _of_evaluation(values: EvalConfig) -> set[str]:
    taken = {"flips", *VIEWS[values.fit].takes} if values.fit else set()
    adaptive = is_adaptive(values.likelihood_solver)
    of_likelihood = "likelihood_steps" if adaptive else "likelihood_tolerance"
    return {"flips", *OPTIONS, of_likelihood} - taken


def _names(section: type) -> set[str]:
    return {field.name for field in dataclasses.fields(section)}


def _true(keys: dict[str, bool]) -> set[str]:
    return {key for key, holds in keys.items() if holds}
