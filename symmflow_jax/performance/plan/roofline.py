"""The roofline model: lower bounds of a program's time from arithmetic and from memory."""

from typing import NamedTuple

from symmflow_jax.performance.plan.chips import Chip


class Roofline(NamedTuple):
    """Two lower bounds of a program's time on a chip (Williams et al. 2009).

    Attributes:
        compute_seconds: seconds for its operations at the chip's peak rate.
        memory_seconds: seconds for its memory traffic at the chip's peak rate.
    """

    compute_seconds: float
    memory_seconds: float

    @property
    def seconds(self) -> float:
        """The higher bound."""
        return max(self.compute_seconds, self.memory_seconds)

    @property
    def bound_by(self) -> str:
        """Name of the higher bound, "compute" or "memory"."""
        return "compute" if self.compute_seconds >= self.memory_seconds else "memory"


def roofline(flops: float, num_bytes: float, chip: Chip) -> Roofline:
    """Makes the bounds from the floating-point operations and bytes of one chip."""
    return Roofline(flops / chip.flops_per_second, num_bytes / chip.hbm_bytes_per_second)
