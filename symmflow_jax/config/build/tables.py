"""All tables of choices by config key."""

from collections.abc import Mapping

from symmflow_jax.config.build.data.batches import RESAMPLINGS
from symmflow_jax.config.build.data.fits import FITS
from symmflow_jax.config.build.data.sources import SOURCES
from symmflow_jax.config.build.method.class_weights import CLASS_WEIGHTS
from symmflow_jax.config.build.method.method import CLOCKS, COUPLINGS, PARAMETERIZATIONS, PATHS
from symmflow_jax.config.build.method.networks import NETWORKS
from symmflow_jax.config.build.method.objectives import OBJECTIVES
from symmflow_jax.config.build.method.semantics import ENCODINGS
from symmflow_jax.config.build.metrics import FEATURES, METRICS, PROTOCOLS
from symmflow_jax.config.build.solvers import SOLVERS
from symmflow_jax.config.build.training import EPOCH_STEPS, PARALLELISMS
from symmflow_jax.config.build.views import VIEWS
from symmflow_jax.config.choices import Choice

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
