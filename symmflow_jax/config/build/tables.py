"""All tables of choices, by the key of the config whose values they are."""

from collections.abc import Mapping

from symmflow_jax.config.build.method import CLOCKS
from symmflow_jax.config.build.metrics import FEATURES
from symmflow_jax.config.build.networks import NETWORKS
from symmflow_jax.config.build.semantics import ENCODINGS
from symmflow_jax.config.build.solvers import SOLVERS
from symmflow_jax.config.build.sources import SOURCES
from symmflow_jax.config.build.training import PARALLELISMS
from symmflow_jax.config.choices import Choice

TABLES: dict[str, Mapping[str, Choice]] = {
    "data.source": SOURCES,
    "semantics.encoding": ENCODINGS,
    "network.name": NETWORKS,
    "train.clock": CLOCKS,
    "eval.solvers": SOLVERS,
    "eval.features": FEATURES,
    "parallel": PARALLELISMS,
}
