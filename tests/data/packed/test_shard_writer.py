"""Shards are written whole or not at all."""

import pickle

import pytest

from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.outputs import OutputError


def _names(packing):
    return sorted(path.name for path in packing.writer.where.folder.iterdir())


def test_a_shard_tells_what_is_in_it(pairs, packing):
    pack = packing(pairs(3))
    entry = pickle.loads(pickle.dumps(pack.writer)).write(0)
    assert (entry.shard.num_examples, entry.shard.num_skipped) == (2, 0)
    assert sum(entry.counts["mask"]) == 6 * 9 + 7 * 9 and len(entry.counts["mask"]) == 3
    assert _names(pack) == ["00000.array_record", "00000.json"]
    assert pack.writer.complete_entry(0) == entry
    assert pack.writer.complete_entry(1) is None
    # The same bytes every time.
    assert pack.writer.write(0) == entry


def test_a_half_shard_is_never_taken(pairs, packing):
    writer = packing(pairs(3)).writer
    writer.write(0)
    path = writer.where.shard(0)
    content = path.read_bytes()
    for damaged in (content[:-1], content[: len(content) // 2], b"x" + content[1:]):
        path.write_bytes(damaged)
        assert writer.complete_entry(0) is None
    path.write_bytes(content)
    assert writer.complete_entry(0) is not None
    writer.where.entry(0).write_bytes(b'{"shard": ')
    assert writer.complete_entry(0) is None


def test_an_example_that_cannot_be_read_stops_or_is_left_out(pairs, packing):
    source = pairs(3)
    source.pairs[1][0].write_bytes(b"no picture")
    stopped = packing(source)
    with pytest.raises(DataError, match=r"images/1\.jpg cannot be read as an image"):
        stopped.writer.write(0)
    assert _names(stopped) == []
    skipping = packing(source, skip_errors=True)
    entry = skipping.writer.write(0)
    assert (entry.shard.num_examples, entry.shard.num_skipped) == (1, 1)
    assert skipping.writer.complete_entry(0) == entry
    # It lacks an example that a packing without skipping must have.
    assert stopped.writer.complete_entry(0) is None


def test_a_full_disk_is_told_and_leaves_nothing(pairs, packing, full_disk):
    pack = packing(pairs(3))
    pack.writer.where.folder.mkdir(parents=True)
    with full_disk(), pytest.raises(OutputError, match=r"00000\.array_record could not be written"):
        pack.writer.write(0)
    assert _names(pack) == []
