"""Processes that write the shards of a packed data set side by side."""

import concurrent.futures.process
import contextlib
import logging
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from types import FrameType

from symmflow_jax.data.packed.index import Entry
from symmflow_jax.data.packed.shard_writer import ShardWriter
from symmflow_jax.runtime import outputs
from symmflow_jax.runtime.errors import shown
from symmflow_jax.runtime.signals import NUMBERS, Interrupted

_logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_LINES = 10.0


def write_shards(writer: ShardWriter, num_workers: int) -> list[Entry]:
    """Writes the shards of a split that are not complete yet; returns the entries of all.

    Args:
        writer: the writer of a shard.
        num_workers: number of processes; 0 writes in this one.

    Raises:
        DataError, OutputError: as `ShardWriter.write`. Shards that are complete then stay.
        Interrupted: after SIGTERM or Ctrl-C, when the shards that other processes write are
            complete; a second signal ends the process at once.
    """
    numbers = range(writer.plan.num_shards)
    found = {number: writer.complete_entry(number) for number in numbers}
    entries = {number: entry for number, entry in found.items() if entry is not None}
    if entries:
        _logger.info(
            "%s: goes on after %d of %d shards.",
            shown(writer.where.folder),
            len(entries),
            len(numbers),
        )
    report = _progress(writer)
    missing = [number for number in numbers if number not in entries]
    with _leaving_on_signals(), contextlib.closing(_written(writer, num_workers, missing)) as new:
        for number, entry in new:
            entries[number] = entry
            report(len(entries), entry.shard.num_examples)
    return [entries[number] for number in numbers]


def _written(
    writer: ShardWriter, num_workers: int, numbers: list[int]
) -> Generator[tuple[int, Entry]]:
    """Writes shards, and yields the number and entry of each that is complete."""
    if not num_workers:
        yield from ((number, writer.write(number)) for number in numbers)
        return
    executor = concurrent.futures.ProcessPoolExecutor(
        min(num_workers, len(numbers)) or 1,
        multiprocessing.get_context("spawn"),
        _begin,
        (writer,),
    )
    try:
        tasks = {executor.submit(_write, number): number for number in numbers}
        for task in concurrent.futures.as_completed(tasks):
            yield tasks[task], task.result()
    except concurrent.futures.process.BrokenProcessPool as error:
        raise outputs.OutputError(
            f"A process that packs into {shown(writer.where.folder)} was ended, perhaps for want "
            "of memory. Complete shards are kept; the same command goes on after them, with fewer "
            "processes if config.data.num_workers is smaller."
        ) from error
    finally:
        # Shards that others are writing are completed, and need not be written again.
        executor.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _leaving_on_signals() -> Iterator[None]:
    """Context in which SIGTERM and SIGINT (Ctrl-C) raise `Interrupted`."""

    def leave(number: int, frame: FrameType | None) -> None:
        del frame
        signal.signal(number, signal.SIG_DFL)
        _logger.info("Interrupted; complete shards are kept, and the same command goes on.")
        raise Interrupted(number)

    previous = {number: signal.signal(number, leave) for number in NUMBERS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


_writer: ShardWriter


def _begin(writer: ShardWriter) -> None:
    """Starts a process, which ends with its parent and leaves signals to it."""
    global _writer
    _writer = writer
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


def _write(number: int) -> Entry:
    return _writer.write(number)


def _progress(writer: ShardWriter) -> Callable[[int, int], None]:
    """A function that logs shards and speed from time to time."""
    start = shown_at = time.monotonic()
    num_examples = 0

    def report(num_shards: int, of_shard: int) -> None:
        nonlocal shown_at, num_examples
        num_examples += of_shard
        now = time.monotonic()
        if now - shown_at < _SECONDS_BETWEEN_LINES and num_shards < writer.plan.num_shards:
            return
        shown_at = now
        _logger.info(
            "%s: %d of %d shards, %.0f examples/s",
            shown(writer.where.folder),
            num_shards,
            writer.plan.num_shards,
            num_examples / max(now - start, 1e-9),
        )

    return report
