"""Folders that may be packed into, and those that may not."""

import dataclasses
import pathlib

import pytest

from symmflow_jax.data.packed import folder
from symmflow_jax.data.packed.index import DataSet, Plan, Split
from symmflow_jax.data.packed.layout import Place, write_json
from symmflow_jax.runtime.outputs import OutputError
from symmflow_jax.semantics import labels

_SCHEMAS = {"label": labels.consecutive(("cat", "dog"))}
_DATASET = DataSet("pets", "pixels", False, {"data.source": "own"}, _SCHEMAS)
_MADE_OF = {"num_examples": 5, "keys": {"data.exif": "apply"}, "digest": "0"}
_PLAN = Plan("train", _MADE_OF, examples_per_shard=2)


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path / "packed")


def _complete(place, plan=_PLAN):
    where = place.split(plan.split)
    write_json(where.index, Split(plan, (), {}).to_json())
    where.plan.unlink(missing_ok=True)


def _check(place, dataset=_DATASET, plan=_PLAN, overwrite=False):
    folder.check(place, dataset, [plan], overwrite=overwrite)


def test_a_packing_begins_goes_on_and_ends(place):
    _check(place)
    assert folder.start(place, _DATASET, _PLAN, overwrite=False)
    shard = place.split("train").shard(0)
    shard.touch()
    for overwrite in (False, True):  # What was begun with the same plan is kept.
        _check(place, overwrite=overwrite)
        assert folder.start(place, _DATASET, _PLAN, overwrite=overwrite) and shard.exists()


def test_other_things_are_kept_whatever_is_given(place):
    (place.folder / "train").mkdir(parents=True)
    (place.folder / "train/a.jpg").touch()
    (place.folder / "b.jpg").touch()
    for name in ("b.jpg", "train"):
        for overwrite in (False, True):
            with pytest.raises(OutputError, match=rf"holds other things .*, such as {name}"):
                _check(place, overwrite=overwrite)
        (place.folder / "b.jpg").unlink(missing_ok=True)
    file = Place(place.folder / "train/a.jpg")
    with pytest.raises(OutputError, match="is a file, not a folder"):
        _check(file)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "cars"}, "its name is 'pets', not 'cars'"),
        ({"keys": {"data.source": "idx"}}, "its keys are .*'own'.*, not .*'idx'"),
        ({"schemas": {"label": labels.consecutive(("cat", "bird"))}}, "its classes differ"),
    ],
)
def test_another_data_set_is_replaced_only_on_demand(place, change, message):
    folder.start(place, _DATASET, _PLAN, overwrite=False)
    place.split("train").shard(0).touch()
    other = dataclasses.replace(_DATASET, **change)
    with pytest.raises(OutputError, match=f"holds another packed data set: {message}"):
        _check(place, other)
    _check(place, other, overwrite=True)
    assert folder.start(place, other, _PLAN, overwrite=True)
    assert not place.split("train").shard(0).exists()
    _check(place, other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"examples_per_shard": 3}, "--examples_per_shard is 3, was 2"),
        ({"made_of": _MADE_OF | {"digest": "1"}}, "5 examples, was 5, with other names"),
        (
            {"made_of": _MADE_OF | {"keys": {"data.exif": "ignore"}}},
            "data.exif is 'ignore', was 'apply'",
        ),
    ],
)
def test_a_split_of_other_examples_is_replaced_only_on_demand(place, change, message):
    folder.start(place, _DATASET, _PLAN, overwrite=False)
    other = dataclasses.replace(_PLAN, **change)
    with pytest.raises(OutputError, match=f"packed of something else: .*{message}.*--overwrite"):
        _check(place, plan=other)
    place.split("train").shard(0).touch()
    assert folder.start(place, _DATASET, other, overwrite=True)
    assert not place.split("train").shard(0).exists()


def test_another_split_joins(place):
    folder.start(place, _DATASET, _PLAN, overwrite=False)
    val = dataclasses.replace(_PLAN, split="val")
    _check(place, plan=val)
    assert folder.start(place, _DATASET, val, overwrite=False)
    assert [split.folder.name for split in place.splits()] == ["train", "val"]


def test_two_commands_do_not_pack_into_one_folder(place):
    message = "Another command is packing into"
    with folder.locked(place), pytest.raises(OutputError, match=message), folder.locked(place):
        pass
    with folder.locked(place):
        pass
    unwritable = Place(pathlib.Path("/proc/packed"))
    with (
        pytest.raises(OutputError, match="/proc/packed cannot be written"),
        folder.locked(unwritable),
    ):
        pass
