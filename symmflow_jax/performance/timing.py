"""Fair timing: tasks run alternately, and their medians are compared."""

import statistics
import time
from collections.abc import Callable
from typing import Any

Task = Callable[[], Any]
"""Function to time; each call waits for its last result."""


def alternate(tasks: dict[str, Task], num_rounds: int) -> dict[str, float]:
    """Median seconds of each task. Tasks run alternately, under the same load of the machine.

    Each timed call follows an untimed call of the same task, so that caches and memory hold the
    task's own data.

    Args:
        tasks: the tasks by name.
        num_rounds: number of timed calls of each task, after one untimed call of each.
    """
    for task in tasks.values():
        task()
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(num_rounds):
        for name, task in tasks.items():
            task()
            start = time.perf_counter()
            task()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}
