"""How long a start waits for the compiler, the first time and with its cache."""

import concurrent.futures
import multiprocessing
import tempfile
import time
from typing import NamedTuple

import jax

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.performance import workloads
from symmflow_jax.runtime import compilation


class Program(NamedTuple):
    """What one jitted program costs before it runs.

    Attributes:
        lower_seconds: from Python to StableHLO.
        compile_seconds: from there to machine code, or out of the cache.
        num_argument_bytes: its arguments.
        num_donated_bytes: arguments whose memory the results take over.
        num_temporary_bytes: what it needs beside arguments and results.
    """

    lower_seconds: float
    compile_seconds: float
    num_argument_bytes: int
    num_donated_bytes: int
    num_temporary_bytes: int

    @property
    def seconds(self) -> float:
        """The whole wait."""
        return self.lower_seconds + self.compile_seconds


def measure(
    experiment: Experiment, batch_size: int
) -> tuple[dict[str, Program], dict[str, Program]]:
    """The programs of a training's start by name: with an empty cache, then with a filled one.

    Each time in a process of its own, as a user would start them.
    """
    with tempfile.TemporaryDirectory() as folder:
        cold = _in_new_process(experiment, batch_size, folder)
        return cold, _in_new_process(experiment, batch_size, folder)


def _in_new_process(
    experiment: Experiment, batch_size: int, cache_folder: str
) -> dict[str, Program]:
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as executor:
        return executor.submit(_measure, experiment, batch_size, cache_folder).result()


def _measure(experiment: Experiment, batch_size: int, cache_folder: str) -> dict[str, Program]:
    compilation.choose_fast_cpu_kernels()
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
