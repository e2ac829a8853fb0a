"""The configuration: the meaning, range and default of each key.

Config files edit these values as a `ConfigDict` (see `conversion`). The rest of the project reads
them as frozen dataclasses, one of each section (`sections/`), after `checks` has found them valid.
"A name of `TABLE`" means one of the names that docs/choices.md lists for the key.

The type of a number gives its range, such as `Count` or `Annotated[int, between(0, 9)]`; every
number has one (a test looks). `schema.relations` holds what numbers must be to each other. In a
path, `~` and `$VARIABLES` are expanded. In the place of a file or folder of weights,
`hf:OWNER/NAME/FILE` fetches it from the Hugging Face hub (docs/weights.md).
"""

import dataclasses
from typing import Annotated

from symmflow_jax.config.schema.ranges import between
from symmflow_jax.config.sections.data import AppearanceConfig, DataConfig
from symmflow_jax.config.sections.evaluation import EvalConfig, GuidanceConfig
from symmflow_jax.config.sections.model import (
    AutoencoderConfig,
    FinetuneConfig,
    NetworkConfig,
    SemanticsConfig,
)
from symmflow_jax.config.sections.planning import PlanConfig
from symmflow_jax.config.sections.training import ClockShares, TrainConfig

__all__ = [
    "AppearanceConfig",
    "DataConfig",
    "SemanticsConfig",
    "NetworkConfig",
    "AutoencoderConfig",
    "FinetuneConfig",
    "ClockShares",
    "TrainConfig",
    "EvalConfig",
    "GuidanceConfig",
    "PlanConfig",
    "Config",
]


@dataclasses.dataclass(frozen=True)
class Config:
    """A complete configuration of a run.

    Attributes:
        seed: seed of all randomness.
        parallel: distribution of training over devices, a name of `PARALLELISMS`
            (docs/choices.md); it does not change the results.
        data, semantics, network, autoencoder, train, finetune, eval, guidance, plan: the
            sections; see their classes.
    """

    seed: Annotated[int, between(0, 2**32 - 1)] = 0
    parallel: str = "pmap"
    data: DataConfig = DataConfig()
    semantics: SemanticsConfig = SemanticsConfig()
    network: NetworkConfig = NetworkConfig()
    autoencoder: AutoencoderConfig = AutoencoderConfig()
    train: TrainConfig = TrainConfig()
    finetune: FinetuneConfig = FinetuneConfig()
    eval: EvalConfig = EvalConfig()
    guidance: GuidanceConfig = GuidanceConfig()
    plan: PlanConfig = PlanConfig()
