"""Construction of the method: network, codec, paths, clocks and parameterizations."""

import dataclasses

from symmflow_jax.config.build.method import codecs
from symmflow_jax.config.build.method.networks import make_network
from symmflow_jax.config.build.method.objectives import OBJECTIVES
from symmflow_jax.config.build.method.semantics import ENCODINGS
from symmflow_jax.config.choices import Choice
from symmflow_jax.config.values import ClockShares, Config, GuidanceConfig, TrainConfig
from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.flow.parameterizations.parameterization import Parameterization
from symmflow_jax.flow.state import JointState, map_components
from symmflow_jax.flow.time_sampling import TimeSampling
from symmflow_jax.methods.symmflow import SymmFlow, component_paths
from symmflow_jax.semantics.encoding import Encoding
from symmflow_jax.semantics.labels import LabelSchema


@dataclasses.dataclass(frozen=True)
class ClockChoice(Choice):
    """A time sampling, made by `constructor(*shares, prob_at_one)`; see `ClockShares`.

    Attributes:
        num_clocks: number of time inputs of the network: 1 for both components, or 2.
        shares: shares of the choice; None takes `train.clock_shares`.
    """

    num_clocks: int
    shares: ClockShares | None = None

    def make(self, config: TrainConfig) -> TimeSampling:
        """The sampling of the times at which the network learns."""
        shares = self.shares or config.clock_shares
        map_share = config.map_share if OBJECTIVES[config.objective].has_span else 0.0
        return self.resolve()(*dataclasses.astuple(shares), config.prob_at_one, map_share)


PATHS: dict[str, Choice] = {
    "linear": Choice("symmflow_jax.flow.paths.linear:LinearPath", "straight, as in the paper"),
    "diffusion": Choice(
        "symmflow_jax.flow.paths.diffusion:DiffusionPath",
        "variance preserving, as in diffusion models",
    ),
}
"""The values of `config.train.path`; a constructor takes `sigma_min`."""

COUPLINGS: dict[str, Choice] = {
    "independent": Choice(
        "symmflow_jax.flow.couplings.independent:IndependentCoupling",
        "each example keeps its noise, as in the paper",
    ),
}
"""The values of `config.train.coupling`; a constructor takes no arguments."""

PARAMETERIZATIONS: dict[str, Choice] = {
    "velocity": Choice(
        "symmflow_jax.flow.parameterizations.velocity:VelocityParameterization.of_component",
        "the velocity, as in the paper",
    ),
    "clean": Choice(
        "symmflow_jax.flow.parameterizations.clean:CleanParameterization.of_component",
        "the clean data",
    ),
    "categorical": Choice(
        "symmflow_jax.semantics.categorical:CategoricalParameterization.of_component",
        "logits of the classes (semantics of one-hot codes)",
    ),
}
"""The values of `config.train.image_parameterization` and `semantics_parameterization`.

A constructor takes the encoding (None for the image), `label_scale` and
`cross_entropy_weight`."""

CLOCKS: dict[str, ClockChoice] = {
    "tied": ClockChoice(
        "symmflow_jax.flow.time_sampling:TimeSampling",
        "one time for image and semantics, as in the paper",
        num_clocks=1,
        shares=ClockShares(1.0, 0.0, 0.0, 0.0),
    ),
    "independent": ClockChoice(
        "symmflow_jax.flow.time_sampling:TimeSampling",
        "two independent times",
        num_clocks=2,
        shares=ClockShares(0.0, 1.0, 0.0, 0.0),
    ),
    "mixed": ClockChoice(
        "symmflow_jax.flow.time_sampling:TimeSampling",
        "some of each kind, by `train.clock_shares`",
        num_clocks=2,
    ),
    "unconditional": ClockChoice(
        "symmflow_jax.flow.time_sampling:TimeSampling",
        "semantics of pure noise: flow matching of images alone",
        num_clocks=2,
        shares=ClockShares(0.0, 0.0, 0.0, 0.0, 1.0),
    ),
}
"""The values of `config.train.clock`."""


def make_method(config: Config, schema: LabelSchema) -> SymmFlow:
    """Makes the method for the classes of a schema; raises ValueError for incompatible parts."""
    codec = codecs.make_codec(config, schema)
    two_clocks = CLOCKS[config.train.clock].num_clocks > 1
    objective = OBJECTIVES[config.train.objective]
    return SymmFlow(
        network=make_network(config.network),
        codec=codec,
        paths=make_paths(config.train),
        coupling=COUPLINGS[config.train.coupling].resolve()(),
        parameterizations=make_parameterizations(config, codec.encoding),
        time_sampling=CLOCKS[config.train.clock].make(config.train),
        holds_clean=two_clocks and not dissolves(config),
        objective=objective.resolve()(config.train.map_guidance),
        has_span=objective.has_span,
    )


def key_of_two_clocks(config: Config) -> str | None:
    """The first key of the config that needs a network with two clocks, or None."""
    asking = {
        "guidance.weight": config.guidance.weight != 1.0,
        "eval.clock": config.eval.clock == "clean",
        "train.objective": OBJECTIVES[config.train.objective].has_span,
    }
    return next((key for key, asks in asking.items() if asks), None)


def dissolves(config: Config) -> bool:
    """True if inference lets the given component turn into noise, as in the paper."""
    return config.eval.clock == "tied"


def make_paths(config: TrainConfig) -> JointState:
    """The path of each component."""
    path = PATHS[config.path].resolve()(config.sigma_min)
    return component_paths(image=path, semantics=path)


def make_parameterizations(config: Config, encoding: Encoding) -> JointState:
    """The parameterization of each component.

    Raises:
        ValueError: if a parameterization does not support its component.
    """
    train = config.train
    names = JointState(train.image_parameterization, semantics_parameterization(config))

    def make(name: str, encoding: Encoding | None) -> Parameterization:
        constructor = PARAMETERIZATIONS[name].resolve()
        return constructor(encoding, config.semantics.label_scale, train.cross_entropy_weight)

    return map_components(make, names, JointState(None, encoding))


def semantics_parameterization(config: Config) -> str:
    """Name of the parameterization of the semantics: the given one, or that of the encoding."""
    of_encoding = ENCODINGS[config.semantics.encoding].parameterization
    return config.train.semantics_parameterization or of_encoding


def make_guidance(config: GuidanceConfig, num_steps: int | None) -> Guidance:
    """Makes the guidance for a solver of `num_steps` steps, None if adaptive.

    Raises:
        ValueError: if `start` and `end` are no interval in [0, 1], or if the solver is adaptive,
            but should guide or skip its first step.
    """
    if config.skip_first_step and num_steps is None:
        raise ValueError(
            "config.guidance.skip_first_step is set, but an adaptive solver has no first step that "
            "is known; choose a solver of fixed steps."
        )
    if config.weight != 1.0 and num_steps is None:
        raise ValueError(
            f"config.guidance.weight is {config.weight}, but an adaptive solver takes the examples "
            "one by one, without the noise that guidance keeps for each; choose a solver of fixed "
            "steps, such as heun."
        )
    zero_init_until = 1.0 / num_steps if num_steps and config.skip_first_step else 0.0
    return Guidance(config.weight, config.start, config.end, config.project, zero_init_until)
