"""Planning for a TPU slice."""

import dataclasses

from symmflow_jax.config.schema.fields import FilePath
from symmflow_jax.config.sections.numbers import (
    Count,
    CountOrZero,
)


@dataclasses.dataclass(frozen=True)
class PlanConfig:
    """The target of `--mode=plan`.

    Attributes:
        topology: chip and layout of a TPU slice, such as "v5e:4x4".
        num_slices: number of such slices, joined by the slower network of the data centre.
        batch_size: examples per train step over all chips; 0 takes `train.batch_size`.
        search: also search for the largest batch that fits, with several compilations.
        optimization_level: optimization level of XLA, "O0", "O1", "O2" or "O3". Training and
            inference compile at "O2". For the largest networks "O0" takes a few minutes instead
            of an hour, and its figures are less exact.
        dump: folder for the text of the compiled modules; "" for none.
    """

    topology: str = ""
    num_slices: Count = 1
    batch_size: CountOrZero = 0
    search: bool = False
    optimization_level: str = "O2"
    dump: FilePath = ""
