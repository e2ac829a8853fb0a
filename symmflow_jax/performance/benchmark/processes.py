"""Contenders in processes of their own, so that they share neither a heap nor threads."""

import concurrent.futures
import contextlib
import functools
import multiprocessing
from collections.abc import Callable, Iterator

import jax

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.performance.timing import Task
from symmflow_jax.runtime import compilation

MakeTasks = Callable[[Experiment, int], dict[str, Task]]
"""A module's function of a config and a batch size to tasks by name."""


@contextlib.contextmanager
def in_own_process(
    make_tasks: MakeTasks, experiment: Experiment, batch_size: int, names: tuple[str, ...]
) -> Iterator[dict[str, Task]]:
    """Tasks that a fresh process does on CPU, each time they are called, as long as this lasts.

    Args:
        make_tasks: what makes the tasks, there.
        config: its first argument.
        batch_size: its second argument.
        names: of the tasks.
    """
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, context, _begin) as executor:

        def task(name: str) -> Task:
            return lambda: executor.submit(_do, make_tasks, experiment, batch_size, name).result()

        yield {name: task(name) for name in names}


def _begin() -> None:
    """Accelerators, which may serve one process only, are left to the parent."""
    jax.config.update("jax_platforms", "cpu")
    compilation.keep_compiled_programs()


def _do(make_tasks: MakeTasks, experiment: Experiment, batch_size: int, name: str) -> None:
    _tasks(make_tasks, experiment, batch_size)[name]()


@functools.cache
def _tasks(make_tasks: MakeTasks, experiment: Experiment, batch_size: int) -> dict[str, Task]:
    return make_tasks(experiment, batch_size)
