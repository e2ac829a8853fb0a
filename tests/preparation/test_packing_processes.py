"""Shards are shared by processes, and written once."""

import pathlib
from typing import NamedTuple

import pytest

from symmflow_jax.data.packed.index import Entry, Shard
from symmflow_jax.preparation.packing_processes import write_shards
from symmflow_jax.runtime.outputs import OutputError


class _Plan(NamedTuple):
    num_shards: int = 3


class _Where(NamedTuple):
    folder: pathlib.Path


class _Writer(NamedTuple):
    """Writes its number; `lethal` ends the process."""

    where: _Where
    plan: _Plan = _Plan()
    lethal: int = -1

    def write(self, number):
        if number == self.lethal:
            import os

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
