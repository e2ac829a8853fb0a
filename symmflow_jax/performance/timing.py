"""Fair timing: contenders take turns, and medians are compared."""

import statistics
import time
from collections.abc import Callable
from typing import Any

Task = Callable[[], Any]
"""Does its work whole, to the last result, each time it is called."""


def alternate(tasks: dict[str, Task], num_rounds: int) -> dict[str, float]:
    """Median seconds of each task, which run in turn so that all meet the same weather.

    Each turn begins with a call that does not count: it finds caches and memory as the others
    have left them, where training would find its own.

    Args:
        tasks: what to time, by name.
        num_rounds: timed calls of each task, after one at the beginning that does not count.
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
