"""Compiler flags that must be set before JAX starts its backend."""

import importlib.metadata
import os

# The CPU backend of jaxlib 0.10 hands convolutions to a library (YNN) whose U-Net train step
# takes 1.7 times as long as with XLA's older kernels. An empty list of fusions turns it off.
_FLAG = "--xla_cpu_experimental_ynn_fusion_type="
_VERSIONS = ("0.10.",)  # XLA ends the process for a flag that it does not know.


def choose_fast_cpu_kernels() -> None:
    """Adds the flag to `XLA_FLAGS`, unless the user has set it already."""
    flags = os.environ.get("XLA_FLAGS", "")
    is_known = importlib.metadata.version("jaxlib").startswith(_VERSIONS)
    if is_known and _FLAG.rstrip("=") not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {_FLAG}".strip()
