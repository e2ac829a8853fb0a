"""Small methods on points, and three examples for them."""

import dataclasses

import jax
import jax.numpy as jnp

from symmflow_jax.codecs.pixels import PixelCodec
from symmflow_jax.data.batch import Points
from symmflow_jax.flow import keys
from symmflow_jax.flow.objectives.flow_map import FlowMapObjective
from symmflow_jax.flow.parameterizations.velocity import VelocityParameterization
from symmflow_jax.flow.paths.linear import LinearPath
from symmflow_jax.flow.state import JointState
from symmflow_jax.flow.time_sampling import TimeSampling
from symmflow_jax.methods.symmflow import SymmFlow, component_paths
from symmflow_jax.networks.velocity.mlp import MLP
from symmflow_jax.semantics.categorical import CategoricalParameterization
from symmflow_jax.semantics.class_plane import ClassPlane
from symmflow_jax.semantics.one_hot import OneHot

FLOW = SymmFlow(MLP(features=16, num_layers=2), PixelCodec(ClassPlane(3, (), 4.0), (2,)))
TWO_CLOCKS = SymmFlow(
    MLP(features=16, num_layers=2),
    PixelCodec(ClassPlane(3, (), 4.0), (2,)),
    time_sampling=TimeSampling(0.25, 0.25, 0.25, 0.25),
    holds_clean=True,
)
POINTS = Points(jnp.asarray([[0.1, 0.2], [0.3, -0.4], [-0.5, 0.6]]))
MAP = dataclasses.replace(
    TWO_CLOCKS,
    time_sampling=TimeSampling(0.25, 0.25, 0.25, 0.25, map_share=0.5),
    objective=FlowMapObjective(),
    has_span=True,
)

_EXACT = LinearPath(sigma_min=0.0)
_ONE_HOT = OneHot(3)
READER = SymmFlow(
    MLP(features=16, num_layers=2),
    PixelCodec(_ONE_HOT, (2,)),
    paths=component_paths(_EXACT, _EXACT),
    parameterizations=JointState(VelocityParameterization(), CategoricalParameterization(_ONE_HOT)),
    time_sampling=TimeSampling(0.0, 0.0, clean_image=1.0, prob_at_one=1.0),
    holds_clean=True,
)
MAKER = dataclasses.replace(READER, time_sampling=TimeSampling(0.0, clean_semantics=1.0))

LABELS = jnp.asarray([0, 1, 2])


def keys_of(*positions: int) -> jax.Array:
    return keys.example_keys(jax.random.key(1), jnp.asarray(positions))
