"""How programs are compiled: flags for CPU kernels, and the cache of compiled programs."""

import importlib.metadata
import os
import pathlib

import jax

# The CPU backend of jaxlib 0.10 hands convolutions to a library (YNN) whose U-Net train step
# takes 1.7 times as long as with XLA's older kernels. An empty list of fusions turns it off.
_FLAG = "--xla_cpu_experimental_ynn_fusion_type="
_VERSIONS = ("0.10.",)  # XLA ends the process for a flag that it does not know.


def choose_fast_cpu_kernels() -> None:
    """Adds the flag to `XLA_FLAGS` unless it is set; JAX reads it when its backend starts."""
    flags = os.environ.get("XLA_FLAGS", "")
    is_known = importlib.metadata.version("jaxlib").startswith(_VERSIONS)
    if is_known and _FLAG.rstrip("=") not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {_FLAG}".strip()


def keep_compiled_programs() -> None:
    """Lets a second start find its programs compiled, unless the user named a folder already.

    They go to `symmflow_jax` under `XDG_CACHE_HOME`, by default `~/.cache`; the environment
    variable `JAX_COMPILATION_CACHE_DIR` names another folder.
    """
    if jax.config.values["jax_compilation_cache_dir"] is None:
        home = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
        jax.config.update("jax_compilation_cache_dir", str(home / "symmflow_jax"))
