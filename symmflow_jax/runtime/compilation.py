"""How programs are compiled: flags for CPU kernels, and the cache of compiled programs."""

import gc
import importlib.metadata
import os
import pathlib
from collections.abc import Callable
from typing import Any

import jax

_VERSIONS = ("0.10.",)  # XLA ends the process for a flag that it does not know.


def choose_fast_cpu_kernels() -> None:
    """Adds flags to `XLA_FLAGS` unless they are set; JAX reads it when its backend starts."""
    if not importlib.metadata.version("jaxlib").startswith(_VERSIONS):
        return
    for flag, value in _cpu_flags().items():
        flags = os.environ.get("XLA_FLAGS", "")
        if flag not in flags:
            os.environ["XLA_FLAGS"] = f"{flags} {flag}={value}".strip()


def _cpu_flags() -> dict[str, str]:
    return {
        # The CPU backend of jaxlib 0.10 hands convolutions to a library (YNN) whose U-Net train
        # step takes 1.7 times as long as with XLA's older kernels. No fusions turn it off.
        "--xla_cpu_experimental_ynn_fusion_type": "",
        # Machine code is made in parts; many more parts than cores cost a fifth of the time.
        "--xla_cpu_parallel_codegen_split_count": str(2 * (os.cpu_count() or 1)),
    }


def jit_once(function: Callable, **options: Any) -> Callable:
    """`jax.jit` with its options for a program that runs once, such as making the first state.

    On CPU its code is not optimised: for the many small programs of random numbers that takes
    a third of the time.
    """
    is_cpu = jax.default_backend() == "cpu"
    return jax.jit(
        function,
        compiler_options={"xla_backend_optimization_level": 0} if is_cpu else {},
        **options,
    )


def collect_garbage_rarely() -> None:
    """Lets tracing make its many small objects, most of which live on, in peace.

    Looking through them again and again takes a third of the time from Python to StableHLO.
    """
    gc.set_threshold(100_000, *gc.get_threshold()[1:])


def keep_compiled_programs() -> None:
    """Lets a second start find its programs compiled, unless the user named a folder already.

    They go to `symmflow_jax` under `XDG_CACHE_HOME`, by default `~/.cache`; the environment
    variable `JAX_COMPILATION_CACHE_DIR` names another folder.
    """
    if jax.config.values["jax_compilation_cache_dir"] is None:
        home = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
        jax.config.update("jax_compilation_cache_dir", str(home / "symmflow_jax"))
