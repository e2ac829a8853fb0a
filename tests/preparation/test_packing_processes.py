"""Shards are shared by processes, and written once."""

import multiprocessing
import os
import pathlib
import signal
import time
from typing import NamedTuple

import pytest

from symmflow_jax.data.packed.index import Entry, Shard
from symmflow_jax.preparation.packing_processes import write_shards
from symmflow_jax.runtime.outputs import OutputError
from symmflow_jax.runtime.signals import Interrupted


class _Plan(NamedTuple):
    num_shards: int = 3


class _Where(NamedTuple):
    folder: pathlib.Path


class _Writer(NamedTuple):
    """Writes its number; `lethal` ends the process."""

    where: _Where
    plan: _Plan = _Plan()
    lethal: int = -1
    interrupted: int = -1

    def write(self, number):
        if number == self.interrupted:
            os.kill(os.getppid() if multiprocessing.parent_process() else os.getpid(), 15)
            time.sleep(0.5)
        if number == self.lethal:
            os._exit(9)
        with (self.where.folder / "log").open("a") as file:
            file.write(f"{number}\n")
        return Entry(Shard(number, 0, 0, ""), {})

    def complete_entry(self, number):
        return Entry(Shard(number, 0, 0, ""), {}) if number == 1 else None


def _written(folder):
    return sorted(map(int, (folder / "log").read_text().split()))


@pytest.mark.parametrize("num_workers", [0, 2])
def test_what_is_complete_is_not_written_again(tmp_path, num_workers):
    entries = write_shards(_Writer(_Where(tmp_path)), num_workers)
    assert [entry.shard.num_examples for entry in entries] == [0, 1, 2]
    assert _written(tmp_path) == [0, 2]


def test_a_process_that_is_killed_is_told(tmp_path):
    with pytest.raises(OutputError, match="was ended, perhaps for want of memory. Complete shards"):
        write_shards(_Writer(_Where(tmp_path), lethal=2), 1)


@pytest.mark.parametrize(("num_workers", "written"), [(0, [0]), (1, [0, 2])])
def test_a_signal_ends_the_packing_after_the_shards_of_others(tmp_path, num_workers, written):
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted) as leaving:
        write_shards(_Writer(_Where(tmp_path), interrupted=2), num_workers)
    assert leaving.value.code == 143
    assert _written(tmp_path) == written
    assert signal.getsignal(signal.SIGTERM) is handler
