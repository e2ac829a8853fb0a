"""All tables of choices by config key."""

import dataclasses
from collections.abc import Mapping

from symmflow_jax.config.build.data.batches import RESAMPLINGS
from symmflow_jax.config.build.data.fits import FITS, make_fit
from symmflow_jax.config.build.data.parts import learns_unlabelled
from symmflow_jax.config.build.data.sources import SOURCE_KEYS, SOURCES
from symmflow_jax.config.build.method.class_weights import CLASS_WEIGHTS
from symmflow_jax.config.build.method.method import CLOCKS, COUPLINGS, PARAMETERIZATIONS, PATHS
from symmflow_jax.config.build.method.networks import NETWORKS
from symmflow_jax.config.build.method.objectives import OBJECTIVES, has_span
from symmflow_jax.config.build.method.semantics import ENCODINGS
from symmflow_jax.config.build.metrics import FEATURES, METRICS, PROTOCOLS
from symmflow_jax.config.build.solvers import SOLVERS
from symmflow_jax.config.build.training import EPOCH_STEPS, PARALLELISMS
from symmflow_jax.config.build.views import OPTIONS, VIEWS
from symmflow_jax.config.choices import Choice
from symmflow_jax.config.values import ClockShares, Config, NetworkConfig

TABLES: dict[str, Mapping[str, Choice]] = {
    "data.source": SOURCES,
    "data.resampling": RESAMPLINGS,
    "data.fit": FITS,
    "semantics.encoding": ENCODINGS,
    "network.name": NETWORKS,
    "train.epoch_steps": EPOCH_STEPS,
    "train.class_weights": CLASS_WEIGHTS,
    "train.clock": CLOCKS,
    "train.path": PATHS,
    "train.coupling": COUPLINGS,
    "train.image_parameterization": PARAMETERIZATIONS,
    "train.semantics_parameterization": PARAMETERIZATIONS,
    "train.objective": OBJECTIVES,
    "eval.protocol": PROTOCOLS,
    "eval.fit": VIEWS,
    "eval.solvers": SOLVERS,
    "eval.likelihood_solver": SOLVERS,
    "eval.generation_solver": SOLVERS,
    "eval.metrics": METRICS,
    "eval.features": FEATURES,
    "parallel": PARALLELISMS,
}


def unused_keys(config: Config) -> set[str]:
    """The keys of a config that its source, network, clock, objective and view do not use."""
    network_keys = {field.name for field in dataclasses.fields(NetworkConfig)}
    unused_of_network = network_keys - NETWORKS[config.network.name].used_keys
    unused_of_source = SOURCE_KEYS - set(SOURCES[config.data.source].used_keys)
    unused = {f"network.{key}" for key in unused_of_network}
    unused |= {f"data.{key}" for key in unused_of_source}
    if CLOCKS[config.train.clock].shares is not None:
        shares = {field.name for field in dataclasses.fields(ClockShares)}
        unused |= {f"train.clock_shares.{name}" for name in shares}
    if CLOCKS[config.train.clock].make(config.train).is_unconditional:
        unused.add("train.prob_at_one")
    fit = make_fit(config)
    if fit.draws or not fit.crops:
        unused.add("data.random_crop")
    if not config.data.image_size:
        unused.add("data.fit")
    taken = {"flips", *VIEWS[config.eval.fit].takes} if config.eval.fit else set()
    unused |= {f"eval.{option}" for option in {"flips", *OPTIONS} - taken}
    if not has_span(config):
        unused |= {f"train.{key}" for key in ("map_share", "map_target", "map_guidance")}
    if not learns_unlabelled(config):
        unused |= {"data.unlabelled_images", "train.unlabelled_share"}
    if not config.data.extra_dir:
        unused.add("data.extra_share")
    if not CLASS_WEIGHTS[config.train.class_weights].are_given:
        unused.add("train.given_class_weights")
    return unused
