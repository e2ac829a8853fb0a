"""The folder that a data set is packed into: what may lie there, and what is written anew."""

import contextlib
import dataclasses
from collections.abc import Iterator

import filelock

from symmflow_jax.data.packed.index import DataSet, Plan, read_dataset, read_plan, read_split
from symmflow_jax.data.packed.layout import INSTEAD, Place, SplitPlace, write_json
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime import outputs
from symmflow_jax.runtime.errors import shown


@contextlib.contextmanager
def locked(place: Place) -> Iterator[None]:
    """Context in which no other process packs into a folder, which is made.

    Raises:
        OutputError: if another one does, or if the file system refuses.
    """
    outputs.check_writable(place.folder, INSTEAD)
    lock = filelock.FileLock(place.lock)
    try:
        place.folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise outputs.OutputError(
            f"Another command is packing into {shown(place.folder)}. Wait until it ends, stop it, "
            f"or give {INSTEAD}."
        ) from None
    except OSError as error:
        raise outputs.OutputError(outputs.refusal(place.folder, error, INSTEAD)) from error
    try:
        yield
    finally:
        lock.release(force=True)
        with contextlib.suppress(OSError):
            place.lock.unlink(missing_ok=True)


def check(place: Place, dataset: DataSet, plans: list[Plan], *, overwrite: bool) -> None:
    """Checks that splits may be packed into a folder; changes nothing.

    Args:
        place: the folder, which may be missing.
        dataset: the data set.
        plans: the splits.
        overwrite: whether to replace what was packed before.

    Raises:
        OutputError: if there is something that is no packed data; or, unless it is overwritten,
            another data set, or a split of other examples.
    """
    if place.folder.is_file():
        raise outputs.OutputError(f"{place.folder} is a file, not a folder. Give {INSTEAD}.")
    foreign = place.others()
    for plan in plans:
        where = place.split(plan.split)
        foreign += [f"{where.folder.name}/{name}" for name in where.others()]
    if foreign:
        raise outputs.OutputError(
            f"{shown(place.folder)} holds other things than packed data, such as "
            f"{shown(foreign[0])}. Give {INSTEAD}, a new or empty folder."
        )
    if not overwrite:
        _check_same_dataset(place, dataset)
        for plan in plans:
            _check_same_split(place, plan)


def start(place: Place, dataset: DataSet, plan: Plan, *, overwrite: bool) -> bool:
    """Makes a split ready to be packed, after `check`; returns False if it is complete.

    Args:
        place: the folder.
        dataset: the data set.
        plan: the split.
        overwrite: whether to replace what was packed before. What was begun with the same plan is
            kept in any case.

    Raises:
        OutputError: if the file system refuses.
    """
    where = place.split(plan.split)
    if not _has_same_dataset(place, dataset):
        for other in place.splits():
            other.clear()
        write_json(place.dataset, dataset.to_json())
    if where.index.is_file() and not overwrite:
        return False
    if where.index.is_file() or not _has_same_plan(where, plan):
        where.clear()
        write_json(where.plan, plan.to_json())
    return True


def _check_same_dataset(place: Place, dataset: DataSet) -> None:
    if not place.dataset.is_file():
        return
    packed = read_dataset(place)
    if packed == dataset:
        return
    differences = [
        f"its {what} {'is' if what == 'name' else 'are'} {_short(old)}, not {_short(new)}"
        for what, old, new in (
            ("name", packed.name, dataset.name),
            ("keys", packed.keys, dataset.keys),
            ("images", packed.images, dataset.images),
        )
        if old != new
    ]
    raise outputs.OutputError(
        f"{shown(place.folder)} holds another packed data set: "
        f"{'; '.join(differences) or 'its classes differ'}. Give {INSTEAD}, or --overwrite to "
        "replace it."
    )


def _check_same_split(place: Place, plan: Plan) -> None:
    where = place.split(plan.split)
    if where.index.is_file():
        # How many examples a shard has is no difference of a complete split.
        packed = dataclasses.replace(
            read_split(place, plan.split).plan, examples_per_shard=plan.examples_per_shard
        )
    elif where.plan.is_file():
        packed = read_plan(where)
    else:
        return
    if packed != plan:
        raise outputs.OutputError(
            f"{shown(where.folder)} was packed of something else: {_differences(packed, plan)}. "
            f"Give {INSTEAD}, or --overwrite to replace it."
        )


def _differences(old: Plan, new: Plan) -> str:
    keys = {**old.made_of["keys"], **new.made_of["keys"]}
    found = [
        f"config.{key} is {new.made_of['keys'].get(key)!r}, was {old.made_of['keys'].get(key)!r}"
        for key in sorted(keys)
        if new.made_of["keys"].get(key) != old.made_of["keys"].get(key)
    ]
    for what, before, now in (
        ("the split", old.split, new.split),
        ("--examples_per_shard", old.examples_per_shard, new.examples_per_shard),
    ):
        if before != now:
            found.append(f"{what} is {now!r}, was {before!r}")
    if old.made_of["digest"] != new.made_of["digest"]:
        found.append(
            f"{new.made_of['num_examples']} examples, was {old.made_of['num_examples']}, with "
            "other names, sizes or contents of files"
        )
    return "; ".join(found) or "the plans differ"


def _has_same_dataset(place: Place, dataset: DataSet) -> bool:
    with contextlib.suppress(DataError):
        return read_dataset(place) == dataset
    return False


def _has_same_plan(where: SplitPlace, plan: Plan) -> bool:
    with contextlib.suppress(DataError):
        return where.plan.is_file() and read_plan(where) == plan
    return False


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]} ..."
