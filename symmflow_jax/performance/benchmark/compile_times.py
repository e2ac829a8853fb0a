"""Compile times at the start of a training, with an empty and with a filled cache."""

import concurrent.futures
import multiprocessing
import os
import tempfile
import time
from typing import NamedTuple

import jax

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.performance import workloads
from symmflow_jax.runtime import compilation


class Program(NamedTuple):
    """Compile time and memory of one jitted program.

    Attributes:
        lower_seconds: seconds from Python to StableHLO.
        compile_seconds: seconds from StableHLO to machine code, or to load it from the cache.
        num_argument_bytes: bytes of its arguments.
        num_donated_bytes: bytes of the arguments whose memory the results reuse.
        num_temporary_bytes: bytes of its temporaries.
    """

    lower_seconds: float
    compile_seconds: float
    num_argument_bytes: int
    num_donated_bytes: int
    num_temporary_bytes: int

    @property
    def seconds(self) -> float:
        """Sum of both times."""
        return self.lower_seconds + self.compile_seconds


def measure(
    experiment: Experiment, batch_size: int
) -> tuple[dict[str, Program], dict[str, Program]]:
    """Compiles the programs at the start of a training, with an empty and with a filled cache.

    Each time they are compiled in a new process, as in a new training.

    Args:
        experiment: the experiment.
        batch_size: number of examples of a batch.

    Returns:
        the programs by name, with the empty cache and with the filled one.
    """
    with tempfile.TemporaryDirectory() as folder:
        cold = _in_new_process(experiment, batch_size, folder)
        return cold, _in_new_process(experiment, batch_size, folder)


def _in_new_process(
    experiment: Experiment, batch_size: int, cache_folder: str
) -> dict[str, Program]:
    context = multiprocessing.get_context("spawn")
    arguments = (experiment, batch_size, cache_folder, compilation.xla_flags(batch_size))
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as executor:
        return executor.submit(_measure, *arguments).result()


def _measure(
    experiment: Experiment, batch_size: int, cache_folder: str, xla_flags: str
) -> dict[str, Program]:
    os.environ["XLA_FLAGS"] = xla_flags
    compilation.collect_garbage_rarely()
    jax.config.update("jax_compilation_cache_dir", cache_folder)
    subject = workloads.subject(experiment, batch_size)
    return {
        name: _program(function, arguments)
        for name, (function, arguments) in workloads.programs(subject).items()
    }


def _program(function, arguments) -> Program:
    start = time.perf_counter()
    lowered = function.lower(*arguments)
    after_lower = time.perf_counter()
    memory = lowered.compile().memory_analysis()
    return Program(
        lower_seconds=after_lower - start,
        compile_seconds=time.perf_counter() - after_lower,
        num_argument_bytes=memory.argument_size_in_bytes,
        num_donated_bytes=memory.alias_size_in_bytes,
        num_temporary_bytes=memory.temp_size_in_bytes,
    )
