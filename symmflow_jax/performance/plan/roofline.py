"""The roofline model: the least time that arithmetic, or memory, lets a program take."""

from typing import NamedTuple

from symmflow_jax.performance.plan.chips import Chip


class Roofline(NamedTuple):
    """Two lower bounds of a program's time on a chip (Williams et al. 2009).

    Attributes:
        compute_seconds: its operations at the chip's peak rate.
        memory_seconds: its memory traffic at the chip's peak rate.
    """

    compute_seconds: float
    memory_seconds: float

    @property
    def seconds(self) -> float:
        """The higher bound."""
        return max(self.compute_seconds, self.memory_seconds)

    @property
    def bound_by(self) -> str:
        """What the higher bound is of: "compute" or "memory"."""
        return "compute" if self.compute_seconds >= self.memory_seconds else "memory"


def roofline(flops: float, num_bytes: float, chip: Chip) -> Roofline:
    """The bounds for operations and bytes of one chip."""
    return Roofline(flops / chip.flops_per_second, num_bytes / chip.hbm_bytes_per_second)
