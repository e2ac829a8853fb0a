"""TPU chips and their figures in Google Cloud's documentation."""

from typing import NamedTuple

_GIB = 2**30


class Chip(NamedTuple):
    """The published figures of one chip.

    Attributes:
        name: name of the chip in topologies, such as "v5e".
        flops_per_second: peak rate of bfloat16 matrix products. Float32 products use them too,
            unless a higher precision is configured.
        hbm_bytes: size of its memory.
        hbm_bytes_per_second: peak rate of its memory.
        config_name: libtpu's name of the configuration in which a chip is one device, or None
            if that is the default.
    """

    name: str
    flops_per_second: float
    hbm_bytes: int
    hbm_bytes_per_second: float
    config_name: str | None = None


# https://cloud.google.com/tpu/docs/v4, .../v5e, .../v5p and .../v6e: "peak compute per chip
# (bf16)", "HBM capacity" and "HBM bandwidth".
CHIPS = {
    chip.name: chip
    for chip in (
        Chip("v4", 275e12, 32 * _GIB, 1200e9, config_name="megacore"),
        Chip("v5e", 197e12, 16 * _GIB, 819e9),
        Chip("v5p", 459e12, 95 * _GIB, 2765e9),
        Chip("v6e", 918e12, 32 * _GIB, 1640e9),
    )
}
