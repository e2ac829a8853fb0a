"""The files of packed data, and what does not belong to them."""

import pytest

from symmflow_jax.data.packed import layout
from symmflow_jax.data.packed.layout import Place
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.outputs import OutputError


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    where = place.split("train")
    layout.write_json(place.dataset, {})
    layout.write_json(where.index, {"a": 1})
    layout.write_json(where.plan, {})
    for number in range(2):
        where.shard(number).write_bytes(b"records")
        layout.write_json(where.entry(number), {})
    (where.folder / ".0123456789ab.partial").touch()
    return place


def test_all_parts_are_known_and_others_are_told(place):
    assert place.others() == [] and place.split("train").others() == []
    assert [split.folder.name for split in place.splits()] == ["train"]
    (place.folder / "photo.jpg").touch()
    (place.split("train").folder / "notes.txt").touch()
    assert place.others() == ["photo.jpg"]
    assert place.split("train").others() == ["notes.txt"]


def test_a_split_is_finished_or_cleared_and_nothing_else_is_touched(place):
    where = place.split("train")
    (where.folder / "notes.txt").touch()
    where.finish()
    kept = ["00000.array_record", "00001.array_record", "index.json", "notes.txt"]
    assert sorted(path.name for path in where.folder.iterdir()) == kept
    where.clear()
    assert [path.name for path in where.folder.iterdir()] == ["notes.txt"]


def test_names_of_splits_are_names_of_folders(tmp_path):
    assert Place(tmp_path).split("train[:90%]").folder.name == "train[_90%]"


def test_files_are_measured_and_named(tmp_path):
    path, partial = tmp_path / "a", tmp_path / "b"
    assert layout.size_of(path) is None
    partial.write_bytes(b"abc")
    layout.keep(partial, path)
    assert not partial.exists() and layout.size_of(path) == 3
    layout.remove(path)
    layout.remove(path)
    with pytest.raises(DataError, match=r"a cannot be read \(FileNotFoundError: .*\)\. Help\."):
        layout.read_json(path, "Help.")
    path.mkdir()
    with pytest.raises(OutputError, match=r"a could not be removed: .* another --output"):
        layout.remove(path)
