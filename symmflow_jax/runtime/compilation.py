"""Compilation: XLA flags for CPU, garbage collection, and the cache of compiled programs."""

import gc
import importlib.metadata
import logging
import os
import tempfile
from collections.abc import Callable
from typing import Any

import jax

from symmflow_jax.runtime import paths
from symmflow_jax.runtime.storage import place

_logger = logging.getLogger(__name__)

_FIRST, _LAST = (0, 10), (0, 12)
"""Versions of jaxlib that have the flags; XLA ends the process for an unknown flag."""

_LARGE_BATCH = 48
"""Examples of a train step from which on XLA's older kernels are faster.

Processor seconds of a step with jaxlib 0.11 on two cores (AVX-512), older kernels and YNN:
configs/mnist.py 1.40 and 0.93 (16 examples), 2.76 and 1.80 (32), 3.48 and 3.91 (64);
configs/shapes.py 0.40 and 0.30 (16), 0.85 and 0.61 (32), 1.17 and 1.44 (64), and with twice the
channels 1.04 and 0.78 (16). jaxlib 0.10 and 0.12 agree.
"""


def choose_fast_cpu_kernels(batch_size: int = _LARGE_BATCH) -> None:
    """Adds flags for CPU to `XLA_FLAGS` unless the user has set them.

    JAX reads the variable when its backend starts. A jaxlib that may not know them gets none.

    Args:
        batch_size: examples that the programs of this process work on at once.
    """
    before = os.environ.get("XLA_FLAGS", "")
    added = _missing(before, batch_size)
    _added.update(added)
    if added:
        os.environ["XLA_FLAGS"] = " ".join([before, *added]).strip()


def xla_flags(batch_size: int) -> str:
    """The user's `XLA_FLAGS` with those that `choose_fast_cpu_kernels` would add to them.

    For the environment of another process, which may work on other batches than this one.
    """
    users = [flag for flag in os.environ.get("XLA_FLAGS", "").split() if flag not in _added]
    return " ".join(users + _missing(" ".join(users), batch_size))


def _missing(flags: str, batch_size: int) -> list[str]:
    """Our flags, without those that some flags set already."""
    return [flag for flag in _cpu_flags(batch_size) if flag.split("=")[0] not in flags]


_added: set[str] = set()
"""The flags in `XLA_FLAGS` that are not the user's."""


def _cpu_flags(batch_size: int) -> list[str]:
    version = importlib.metadata.version("jaxlib").split(".")
    if not _FIRST <= (int(version[0]), int(version[1])) <= _LAST:
        return []
    # Code is generated in parts; many more parts than cores add a fifth to the time.
    flags = [f"--xla_cpu_parallel_codegen_split_count={2 * (os.cpu_count() or 1)}"]
    if batch_size >= _LARGE_BATCH:
        # XLA computes convolutions with the library YNN. An empty list of fusions leaves them to
        # its older kernels.
        flags = ["--xla_cpu_experimental_ynn_fusion_type=", *flags]
    return flags


def jit_once(function: Callable, **options: Any) -> Callable:
    """`jax.jit` for a program that runs once, such as the initialization of the state.

    On CPU the code is not optimized. That saves two thirds of the time for the many small
    programs of random numbers.

    Args:
        function: the function to compile.
        **options: options of `jax.jit`.
    """
    is_cpu = jax.default_backend() == "cpu"
    return jax.jit(
        function,
        compiler_options={"xla_backend_optimization_level": 0} if is_cpu else {},
        **options,
    )


def collect_garbage_rarely() -> None:
    """Raises the garbage-collection threshold during tracing.

    Tracing makes many small objects, most of which stay alive. With the default threshold, their
    collection takes a third of the time from Python to StableHLO.
    """
    gc.set_threshold(100_000, *gc.get_threshold()[1:])


def keep_compiled_programs() -> None:
    """Enables the persistent cache of compiled programs, unless the user has set a folder.

    The folder is `symmflow_jax` under `XDG_CACHE_HOME`, by default `~/.cache`. The environment
    variable `JAX_COMPILATION_CACHE_DIR` sets another folder. Without a folder that can be written,
    as in containers without a home, nothing is kept and a log line says so. A folder for
    temporary files is no substitute: other users could put programs there.

    The user's folder may be in a bucket, which JAX reaches by the same drivers as this package.
    """
    chosen = jax.config.values["jax_compilation_cache_dir"]
    if chosen is not None:
        _check_chosen(chosen)
        return
    try:
        folder = paths.cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, RuntimeError) as error:  # A RuntimeError if no home is known.
        _logger.info(
            "Compiled programs are not kept (%s); JAX_COMPILATION_CACHE_DIR names a folder for "
            "them.",
            error,
        )
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))


def _check_chosen(folder: str) -> None:
    """Keeps no programs, and says so, if the user's folder is in a bucket that cannot be used."""
    try:
        place.check(folder, "JAX_COMPILATION_CACHE_DIR")
        if place.is_remote(folder):
            # Imported here, because most commands need no bucket.
            from symmflow_jax.runtime.storage import drivers

            drivers.check_bucket(folder)
    except (ValueError, RuntimeError) as error:
        _logger.warning("Compiled programs are not kept: %s", error)
        jax.config.update("jax_compilation_cache_dir", None)
