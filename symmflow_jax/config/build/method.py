"""The method of a config: network, codec, clocks and what the network predicts, put together."""

import dataclasses

from symmflow_jax.config.build import codecs
from symmflow_jax.config.build.networks import make_network
from symmflow_jax.config.choices import Choice
from symmflow_jax.config.values import Config, GuidanceConfig, TrainConfig
from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.flow.path import LinearPath
from symmflow_jax.flow.time_sampling import TimeSampling
from symmflow_jax.labels import LabelSchema
from symmflow_jax.symmflow import SymmFlow


@dataclasses.dataclass(frozen=True)
class ClockChoice(Choice):
    """A time sampling, made by `constructor(shares, share_at_one)`.

    Attributes:
        num_clocks: times that the network is given: one for both components, or one for each.
    """

    num_clocks: int


CLOCKS: dict[str, ClockChoice] = {
    "tied": ClockChoice(
        "symmflow_jax.flow.time_sampling:tied", "one time for image and semantics, as in the paper",
        num_clocks=1,
    ),
    "free": ClockChoice(
        "symmflow_jax.flow.time_sampling:free", "two independent times", num_clocks=2
    ),
    "mixed": ClockChoice(
        "symmflow_jax.flow.time_sampling:mixed", "a mixture, by `train.clock_shares`", num_clocks=2
    ),
}  # fmt: skip
"""The values of `config.train.clock`."""


def make_method(config: Config, schema: LabelSchema) -> SymmFlow:
    """The method for the config's network and the classes of a schema."""
    codec = codecs.make_codec(config, schema)
    two_clocks = CLOCKS[config.train.clock].num_clocks > 1
    return SymmFlow(
        network=make_network(config.network),
        codec=codec,
        path=LinearPath(config.train.sigma_min),
        time_sampling=make_time_sampling(config.train),
        head=codecs.head(config, codec.encoding),
        holds_clean=two_clocks and config.eval.clock != "tied",
    )


def make_time_sampling(config: TrainConfig) -> TimeSampling:
    """The times at which the network learns."""
    return CLOCKS[config.clock].resolve()(config.clock_shares, config.share_at_one)


def make_guidance(config: GuidanceConfig, num_steps: int | None) -> Guidance:
    """The guidance of the config for a solver of so many steps.

    Raises:
        ValueError: if there is no interval of times, or no first step to skip.
    """
    if config.skip_first_step and num_steps is None:
        raise ValueError(
            "config.guidance.skip_first_step is set, but an adaptive solver has no first step that "
            "is known; choose a solver of fixed steps."
        )
    still_until = 1.0 / num_steps if num_steps and config.skip_first_step else 0.0
    return Guidance(config.weight, config.start, config.end, config.project, still_until)
