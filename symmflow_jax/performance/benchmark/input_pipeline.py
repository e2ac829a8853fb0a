"""Rate of training batches that reach the device, compared with Pillow on the same files."""

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
    """Rate of one reader.

    Attributes:
        reader: name of the reader.
        images_per_second: its rate after the start.
        start_seconds: seconds from its call to the first batch on the device; None for Pillow.
        ratio: its rate divided by that of plain Pillow just before and after it; None if the
            source has no pairs of image files.
    """

    reader: str
    images_per_second: float
    start_seconds: float | None
    ratio: float | None


def measure(experiment: Experiment, batch_size: int, seconds: float = 5.0) -> list[Rate]:
    """Measures images per second from files to batches on the device, without other work.

    Pairs of images and masks are read by 1, 2 and 4 worker processes, with plain Pillow in one
    process before and after each. Plain Pillow in two independent processes shows the limit of
    the machine. A small data set is repeated to at least 5,000 pairs, since Grain takes 20
    microseconds to find the next example of so many, but 2 milliseconds of a dozen. Other sources
    are read with the config's number of workers, without a comparison.

    Args:
        experiment: the experiment, whose training split is read.
        batch_size: number of examples of a batch.
        seconds: approximate duration of each measurement; half of it for plain Pillow.

    Raises:
        DataError: if the data is missing.
    """
    experiment = with_workers(experiment, batch_size, experiment.data.num_workers)
    source = experiment.training_source
    if not isinstance(source, ImagePairs):
        workers = experiment.data.num_workers
        return [Rate(reader_name(workers), *watch(source, experiment, seconds), None)]
    source = _as_many(source)
    plain = [_plain(source, experiment, seconds / 2)]
    rows = []
    for num_workers in _NUM_WORKERS:
        rate, start = watch(source, with_workers(experiment, batch_size, num_workers), seconds)
        plain.append(_plain(source, experiment, seconds / 2))
        ratio = rate / float(np.mean(plain[-2:]))
        rows.append(Rate(reader_name(num_workers), rate, start, ratio))
    one = float(np.mean(plain))
    two = _two_plain(source, experiment, seconds / 2)
    plain.append(_plain(source, experiment, seconds / 2))
    return [
        Rate("plain Pillow, one process", one, None, 1.0),
        Rate("plain Pillow, two processes", two, None, two / float(np.mean(plain[-2:]))),
        *rows,
    ]


def _as_many(source: ImagePairs) -> ImagePairs:
    """Repeats the pairs of a source to at least `_NUM_PAIRS`."""
    pairs = source.pairs * -(-_NUM_PAIRS // len(source))
    return ImagePairs(pairs, source.schemas["mask"], source.colours)


def watch(source: Source, experiment: Experiment, seconds: float) -> tuple[float, float]:
    """Measures images per second, and the seconds until the first batch."""
    start = time.perf_counter()
    batches = experiment.training_batches(source=source)
    mesh = processes.local_mesh()

    def take() -> None:
        jax.block_until_ready(processes.put_batch(next(batches), mesh))

    take()
    start_seconds = time.perf_counter() - start
    # The first workers fill their buffers while the last one starts; these batches do not count.
    for _ in range(6 * max(1, experiment.data.num_workers)):
        take()
    rate = experiment.train.batch_size * _calls_per_second(take, seconds)
    batches.close()
    return rate, start_seconds


def _plain(source: ImagePairs, experiment: Experiment, seconds: float) -> float:
    """Pairs per second that Pillow opens, decodes, resizes and converts to arrays."""
    height, width = experiment.data.image_size
    size = (width, height)
    pairs = itertools.cycle(source.pairs)

    def read() -> None:
        image_path, mask_path = next(pairs)
        with Image.open(image_path) as image:
            np.asarray(image.convert("RGB").resize(size, Image.Resampling.BICUBIC))
        with Image.open(mask_path) as mask:
            np.asarray(mask.resize(size, Image.Resampling.NEAREST))

    for _ in set(source.pairs):  # Loads the files into the page cache.
        read()
    return _calls_per_second(read, seconds)


def _two_plain(source: ImagePairs, experiment: Experiment, seconds: float) -> float:
    """Pairs per second of two Pillow processes at the same time, in sum."""
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
    """Calls of a task per second, measured over at least the given seconds."""
    start = time.perf_counter()
    for count in itertools.count(1):
        task()
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return count / elapsed
    raise AssertionError("unreachable: the count has no end")


def reader_name(num_workers: int) -> str:
    """What reads with a number of worker processes, in words."""
    if not num_workers:
        return "threads of the main process"
    return f"{num_workers} worker process{'es' if num_workers > 1 else ''}"


def with_workers(experiment: Experiment, batch_size: int, num_workers: int) -> Experiment:
    """The experiment with another batch size and number of worker processes."""
    return experiment.changed({"train.batch_size": batch_size, "data.num_workers": num_workers})
