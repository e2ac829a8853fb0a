"""Descriptions of packed data survive the disk, and damage is named."""

import dataclasses
import json

import pytest

from symmflow_jax.data.packed import index
from symmflow_jax.data.packed.index import DataSet, Entry, Plan, Shard, Split
from symmflow_jax.data.packed.layout import Place, write_json
from symmflow_jax.data.source import DataError
from symmflow_jax.semantics import labels

_SCHEMA = labels.filed_under((7, 11), ("sky", "road"), 255)
_DATASET = DataSet("streets", "files", False, {"data.class_ids": [7, 11]}, {"mask": _SCHEMA})
_PLAN = Plan("train", {"num_examples": 5, "keys": {}, "digest": "0"}, examples_per_shard=2)
_ENTRIES = [
    Entry(Shard(2, 0, 100, "aa"), {"mask": [1, 2, 0]}),
    Entry(Shard(1, 1, 90, "bb"), {"mask": [4, 0, 0]}),
    Entry(Shard(1, 0, 80, "cc"), {"mask": [0, 0, 3]}),
]
_SPLIT = Split.of_entries(_PLAN, _ENTRIES)


def _plain(value):
    return json.loads(json.dumps(value, allow_nan=False))


def test_descriptions_come_back_from_json():
    assert DataSet.from_json(_plain(_DATASET.to_json())) == _DATASET
    assert Plan.from_json(_plain(_PLAN.to_json())) == _PLAN
    assert Split.from_json(_plain(_SPLIT.to_json())) == _SPLIT
    assert Entry.from_json(_plain(dataclasses.asdict(_ENTRIES[0]))) == _ENTRIES[0]


def test_a_plan_gives_each_shard_its_examples():
    assert _PLAN.num_shards == 3
    assert [list(_PLAN.examples_of(number)) for number in range(3)] == [[0, 1], [2, 3], [4]]


def test_a_split_adds_its_shards():
    assert (_SPLIT.num_examples, _SPLIT.num_skipped, _SPLIT.starts) == (4, 1, [0, 2, 3])
    assert _SPLIT.counts == {"mask": [5, 2, 3]}


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere does not exist .* --mode=pack --output=FOLDER"):
        index.read_dataset(Place(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"holds no packed data set \(dataset\.json is missing\)"):
        index.read_dataset(Place(tmp_path))
    place = Place(tmp_path)
    write_json(place.split("val").index, _SPLIT.to_json())
    with pytest.raises(DataError, match="has no split 'test'; it has train"):
        index.read_split(place, "test")


def test_an_unfinished_split_says_how_far_it_is(tmp_path):
    where = Place(tmp_path).split("train")
    write_json(where.plan, _PLAN.to_json())
    write_json(where.entry(1), dataclasses.asdict(_ENTRIES[1]))
    assert index.read_plan(where) == _PLAN
    with pytest.raises(DataError, match="not finished: 1 of 3 shards are complete. Run the same"):
        index.read_split(Place(tmp_path), "train")


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"num_examples": 3},
        {"sha256": "00"},
        {"shards": 4},
        {"counts": None},
        {"made_of": {}},
        {"examples_per_shard": "2"},
    ],
)
def test_a_damaged_description_is_named(tmp_path, change):
    place = Place(tmp_path)
    write_json(place.split("train").index, _SPLIT.to_json() | change)
    with pytest.raises(DataError, match=r"train/index\.json cannot be used \(.*pack it again with"):
        index.read_split(place, "train")
    write_json(place.dataset, _DATASET.to_json() | {"schemas": {"depth": _SCHEMA.to_json()}})
    with pytest.raises(DataError, match=r"dataset\.json cannot be used"):
        index.read_dataset(place)
    place.dataset.write_bytes(b"{")
    with pytest.raises(DataError, match=r"dataset\.json cannot be read"):
        index.read_dataset(place)
