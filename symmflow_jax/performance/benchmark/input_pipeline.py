"""How fast training batches reach the device, beside Pillow on the same files."""

import concurrent.futures
import itertools
import multiprocessing
import time
from collections.abc import Callable
from threading import Barrier
from typing import NamedTuple

import jax
import numpy as np
from PIL import Image

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data.source import Source
from symmflow_jax.data.sources.segmentation.image_pairs import ImagePairs
from symmflow_jax.runtime import processes

_NUM_WORKERS = (1, 2, 4)

_NUM_PAIRS = 5_000


class Rate(NamedTuple):
    """What one way of reading gives.

    Attributes:
        reader: what it is called.
        images_per_second: once it runs.
        start_seconds: from its call to the first batch on the device; None without a start.
        ratio: its rate over that of plain Pillow just before and after it; None without files.
    """

    reader: str
    images_per_second: float
    start_seconds: float | None
    ratio: float | None


def measure(experiment: Experiment, batch_size: int, seconds: float = 5.0) -> list[Rate]:
    """Images a second from files to batches on the device, with nothing else to do.

    Pairs of pictures are read by 1, 2 and 4 worker processes, with plain Pillow in one process
    before and after each, and by plain Pillow in two processes that know nothing of each other,
    which is what the machine allows. The files of a sample count several times, as if they were
    a data set of 5,000 pairs: Grain takes 20 microseconds to find the next example of so many,
    and 2 milliseconds where there are a dozen. Other sources are read as the config says, with
    nothing beside them.

    Args:
        config: the experiment, whose training split is read.
        batch_size: examples of a batch.
        seconds: about how long each way is watched; half of that for plain Pillow.

    Raises:
        DataError: if the data is missing.
    """
    experiment = _with(experiment, batch_size, experiment.data.num_workers)
    source = experiment.training_source
    if not isinstance(source, ImagePairs):
        workers = experiment.data.num_workers
        return [Rate(_reader(workers), *_watch(source, experiment, seconds), None)]
    source = _as_many(source)
    plain = [_plain(source, experiment, seconds / 2)]
    rows = []
    for num_workers in _NUM_WORKERS:
        rate, start = _watch(source, _with(experiment, batch_size, num_workers), seconds)
        plain.append(_plain(source, experiment, seconds / 2))
        ratio = rate / float(np.mean(plain[-2:]))
        rows.append(Rate(_reader(num_workers), rate, start, ratio))
    one = float(np.mean(plain))
    two = _two_plain(source, experiment, seconds / 2)
    plain.append(_plain(source, experiment, seconds / 2))
    return [
        Rate("plain Pillow, one process", one, None, 1.0),
        Rate("plain Pillow, two processes", two, None, two / float(np.mean(plain[-2:]))),
        *rows,
    ]


def _as_many(source: ImagePairs) -> ImagePairs:
    """The pairs of a source over and over, at least as many as a data set has."""
    pairs = source.pairs * -(-_NUM_PAIRS // len(source))
    return ImagePairs(pairs, source.schemas["mask"], source.colours)


def _watch(source: Source, experiment: Experiment, seconds: float) -> tuple[float, float]:
    """Images a second, and the seconds up to the first batch."""
    start = time.perf_counter()
    batches = experiment.training_batches(source=source)
    mesh = processes.local_mesh()

    def take() -> None:
        jax.block_until_ready(processes.put_batch(next(batches), mesh))

    take()
    start_seconds = time.perf_counter() - start
    # While the last worker starts, the first ones fill their buffers; these do not count.
    for _ in range(6 * max(1, experiment.data.num_workers)):
        take()
    rate = experiment.train.batch_size * _calls_per_second(take, seconds)
    batches.close()
    return rate, start_seconds


def _plain(source: ImagePairs, experiment: Experiment, seconds: float) -> float:
    """Pairs a second that Pillow opens, decodes, resizes and hands over as arrays."""
    height, width = experiment.data.image_size
    size = (width, height)
    pairs = itertools.cycle(source.pairs)

    def read() -> None:
        image_path, mask_path = next(pairs)
        with Image.open(image_path) as image:
            np.asarray(image.convert("RGB").resize(size, Image.Resampling.BICUBIC))
        with Image.open(mask_path) as mask:
            np.asarray(mask.resize(size, Image.Resampling.NEAREST))

    for _ in set(source.pairs):  # The files come into memory.
        read()
    return _calls_per_second(read, seconds)


def _two_plain(source: ImagePairs, experiment: Experiment, seconds: float) -> float:
    """Pairs a second of two such processes at the same time, together."""
    context = multiprocessing.get_context("spawn")
    with (
        context.Manager() as manager,
        concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as executor,
    ):
        arguments = source, experiment, seconds, manager.Barrier(2)
        readers = [executor.submit(_plain_together, *arguments) for _ in range(2)]
        return sum(reader.result() for reader in readers)


def _plain_together(
    source: ImagePairs, experiment: Experiment, seconds: float, start: Barrier
) -> float:
    start.wait()
    return _plain(source, experiment, seconds)


def _calls_per_second(task: Callable[[], None], seconds: float) -> float:
    """How often a task is done in a second, over at least the given time."""
    start = time.perf_counter()
    for count in itertools.count(1):
        task()
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return count / elapsed
    raise AssertionError("unreachable: the count has no end")


def _reader(num_workers: int) -> str:
    if not num_workers:
        return "threads of the main process"
    return f"{num_workers} worker process{'es' if num_workers > 1 else ''}"


def _with(experiment: Experiment, batch_size: int, num_workers: int) -> Experiment:
    return experiment.changed({"train.batch_size": batch_size, "data.num_workers": num_workers})
