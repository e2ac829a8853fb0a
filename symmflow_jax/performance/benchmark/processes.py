"""Tasks in separate processes, so that they share neither a heap nor threads."""

import concurrent.futures
import contextlib
import functools
import multiprocessing
import os
from collections.abc import Callable, Iterator

import jax

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.performance.timing import Task
from symmflow_jax.runtime import compilation

MakeTasks = Callable[[Experiment, int], dict[str, Task]]
"""Module-level function from an experiment and a batch size to tasks by name."""


@contextlib.contextmanager
def in_own_process(
    make_tasks: MakeTasks, experiment: Experiment, batch_size: int, names: tuple[str, ...]
) -> Iterator[dict[str, Task]]:
    """Context with tasks that run on CPU in a new process, which ends with the context.

    Args:
        make_tasks: function that makes the tasks in that process.
        experiment: its first argument.
        batch_size: its second argument, which decides on the kernels of the process.
        names: names of the tasks.
    """
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(
        1, context, _begin, (compilation.xla_flags(batch_size),)
    ) as executor:

        def task(name: str) -> Task:
            return lambda: executor.submit(_do, make_tasks, experiment, batch_size, name).result()

        yield {name: task(name) for name in names}


def _begin(xla_flags: str) -> None:
    """Chooses the CPU, since an accelerator may serve only the parent process."""
    os.environ["XLA_FLAGS"] = xla_flags  # The parent's were chosen for the config's batches.
    jax.config.update("jax_platforms", "cpu")
    compilation.keep_compiled_programs()


def _do(make_tasks: MakeTasks, experiment: Experiment, batch_size: int, name: str) -> None:
    _tasks(make_tasks, experiment, batch_size)[name]()


@functools.cache
def _tasks(make_tasks: MakeTasks, experiment: Experiment, batch_size: int) -> dict[str, Task]:
    return make_tasks(experiment, batch_size)
