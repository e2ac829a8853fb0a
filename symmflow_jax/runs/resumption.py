"""Whether a run may go on from its checkpoint, and what has changed since."""

import enum
import math
import pathlib
from collections.abc import Iterator
from typing import Any

from flax import traverse_util

from symmflow_jax.config import conversion
from symmflow_jax.runs.identity import check_same_model

_SPLITS = {"train": "training", "eval": "evaluation"}
# They change neither examples nor training. Where files lie is told by the fingerprint.
_WITHOUT_EFFECT = {
    *("parallel", "autoencoder.weights", "data.dir", "data.num_workers"),
    *("data.unlabelled_images", "data.extra_dir"),
    "data.ignored",  # See `identity.differences`.
    *(f"data.{split}_{kind}" for split in ("train", "eval") for kind in ("images", "masks")),
    *(f"train.{event}_every_steps" for event in ("log", "eval", "checkpoint")),
    "train.keep_checkpoints",
    "train.init_from",  # See `warm_start.check_begun`.
}
_SECTIONS_WITHOUT_EFFECT = ("eval.", "guidance.", "finetune.", "plan.")
# Scores of checkpoints, by which the best one is kept, are then not of one kind.
_OF_SCORES = "eval.protocol"


class Resume(enum.Enum):
    """What a training does with the checkpoints in its folder; the values of `--resume`."""

    SAME = "same"
    """It goes on from them, if its data is the same."""

    CHANGED_DATA = "changed_data"
    """It goes on from them, also with other data."""

    NEVER = "never"
    """It is refused."""


def check_resumption(
    saved: dict[str, Any],
    current: dict[str, Any],
    step: int,
    resume: Resume,
    workdir: pathlib.Path,
) -> list[str]:
    """Checks that a training may go on from a checkpoint.

    Args:
        saved: the description in the checkpoint, a result of `describe_training`, also of an
            earlier version, or of `describe`.
        current: result of `describe_training` for the run that would go on.
        step: step of the checkpoint.
        resume: what the user has chosen.
        workdir: folder of the run in messages.

    Returns:
        lines about what has changed, for the log.

    Raises:
        ValueError: if the model is another one, if the data has changed and the user has not
            chosen so, if training would end before the checkpoint, or for `Resume.NEVER`.
    """
    if resume is Resume.NEVER:
        raise ValueError(
            f"{workdir} has a checkpoint of step {step}, and --resume=never begins only where "
            "there is none; give another --workdir for a fresh start."
        )
    check_same_model(saved, current, workdir)
    data = list(_data_changes(saved, current))
    if data and resume is not Resume.CHANGED_DATA:
        raise ValueError(
            f"{workdir} was trained on other data until step {step}: {'; '.join(data)}. Give "
            "another --workdir for a fresh start, the data of before, or --resume=changed_data to "
            "go on with this data."
        )
    values = list(_value_changes(saved, current))
    schedule = _schedule_change(saved, current)
    _check_end(current["schedule"], step, [*data, *values, schedule], workdir)
    return [
        *_unknown_data(saved, step),
        *_moves(saved, current),
        *(f"Other data since step {step}: {change}." for change in data),
        *([f"Changed since step {step}: {'; '.join(values)}."] if values else []),
        *([f"Other schedule since step {step}: {schedule}."] if schedule else []),
    ]


def _data_changes(saved: dict[str, Any], current: dict[str, Any]) -> Iterator[str]:
    """What differs between the data of a checkpoint and that of a run, split by split."""
    for split, name in _SPLITS.items():
        old, new = _data(saved).get(split), current["data"][split]
        if old is None:
            continue
        changes = [
            f"{_key(key)} is {new['keys'][key]!r}, was {old['keys'][key]!r}"
            for key in new["keys"].keys() & old["keys"].keys()
            if new["keys"][key] != old["keys"][key]
        ]
        if new["digest"] != old["digest"]:
            changes.append(f"{_files(new)}, was {_files(old)}{_how_they_differ(old, new)}")
        if changes:
            yield f"its {name} data: {', '.join(sorted(changes))}"


def _files(values: dict[str, Any]) -> str:
    examples = f"{values['num_examples']} examples"
    if not values["num_files"]:
        return examples
    return f"{examples} ({values['num_files']} files) in {values['folder']}"


def _how_they_differ(old: dict[str, Any], new: dict[str, Any]) -> str:
    return " with other names, sizes or contents" if _files(old) == _files(new) else ""


def _moves(saved: dict[str, Any], current: dict[str, Any]) -> Iterator[str]:
    for split, name in _SPLITS.items():
        old, new = _data(saved).get(split), current["data"][split]
        if old and old["digest"] == new["digest"] and old["folder"] != new["folder"]:
            yield f"The {name} data lies in {new['folder']} now; it was in {old['folder']}."


def _unknown_data(saved: dict[str, Any], step: int) -> Iterator[str]:
    if step and not _data(saved):
        yield (
            f"The checkpoint of step {step} does not tell its data, as those of earlier versions; "
            "whether this data is the same was not checked."
        )


def _value_changes(saved: dict[str, Any], current: dict[str, Any]) -> Iterator[str]:
    """The other values of the config that training depends on."""
    old, new = (_flat(description) for description in (saved, current))
    told = {key for split in _data(saved).values() for key in split["keys"]}
    for key, value in new.items():
        ignored = key in told | _WITHOUT_EFFECT or key.startswith(_SECTIONS_WITHOUT_EFFECT)
        ignored = ignored and key != _OF_SCORES
        if old[key] != value and not ignored:
            yield f"{_key(key)} is {value!r}, was {old[key]!r}"


def _flat(description: dict[str, Any]) -> dict[str, Any]:
    # Keys that are newer than a checkpoint get their defaults.
    config = conversion.to_json(conversion.from_saved_json(description["config"]))
    return traverse_util.flatten_dict(config, sep=".")


def _schedule_change(saved: dict[str, Any], current: dict[str, Any]) -> str:
    old, new = saved.get("schedule"), current["schedule"]
    if not isinstance(old, dict) or old.keys() != new.keys():
        return ""
    return "" if old == new else f"{_schedule(new)}, was {_schedule(old)}"


def _schedule(values: dict[str, Any]) -> str:
    return (
        f"{values['num_steps']} steps, {values['num_warmup_steps']} of them warm-up "
        f"({values['num_examples']} examples in batches of {values['batch_size']})"
    )


def _check_end(
    schedule: dict[str, Any], step: int, changes: list[str], workdir: pathlib.Path
) -> None:
    """Raises ValueError if the training ends before its checkpoint."""
    if schedule["num_steps"] >= step:
        return
    known = [change for change in changes if change]
    epochs = step * schedule["batch_size"] / schedule["num_examples"]
    raise ValueError(
        f"Training would end at step {schedule['num_steps']}, but the checkpoint in {workdir} is "
        f"of step {step}: {'; '.join(known) or _schedule(schedule)}. Set config.train.num_epochs "
        f"to {math.ceil(100 * epochs) / 100:g} or more, give another --workdir for a fresh start, "
        "or measure the weights as they are with --mode=evaluate."
    )


def _data(saved: dict[str, Any]) -> dict[str, Any]:
    """The data that a description tells, by split; empty for an earlier version."""
    data = saved.get("data")
    data = data if isinstance(data, dict) else {}
    fields = {"keys", "folder", "num_examples", "num_files", "digest"}
    return {
        split: data[split]
        for split in _SPLITS
        if isinstance(data.get(split), dict)
        and data[split].keys() >= fields
        and isinstance(data[split]["keys"], dict)
    }


def _key(key: str) -> str:
    return f"config.{key}"
