"""Whether a run may go on, and what it says of what has changed."""

import copy
import json
import pathlib

import pytest

from symmflow_jax.runs.identity import describe, describe_training
from symmflow_jax.runs.resumption import Resume, check_resumption

_WORKDIR = pathlib.Path("run")


@pytest.fixture(scope="module")
def description(tiny_experiment):
    """A function from overrides to the description in a checkpoint of such a run."""
    return lambda **overrides: json.loads(
        json.dumps(describe_training(tiny_experiment(**overrides)))
    )


def _check(saved, current, step=4, resume=Resume.SAME) -> str:
    return "\n".join(check_resumption(saved, current, step, resume, _WORKDIR))


def _with_files(values: dict, folder: str, number: int, digest: str) -> dict:
    values = copy.deepcopy(values)
    values["data"]["train"] |= {
        "folder": folder,
        "num_files": 2 * number,
        "num_examples": number,
        "digest": digest,
    }
    return values


def test_the_same_run_goes_on_without_a_word(description):
    assert _check(description(), description()) == ""


def test_what_changes_no_training_is_not_told(description):
    other = {"data.num_workers": 2, "train.log_every_steps": 5, "eval.num_steps": (3,)}
    assert _check(description(), description(**other)) == ""


def test_another_protocol_of_scores_is_told(description):
    saved = description()
    del saved["config"]["eval"]["protocol"]  # As in runs of earlier versions.
    assert _check(saved, description()) == ""
    told = _check(saved, description(**{"eval.protocol": "published"}))
    assert told == "Changed since step 4: config.eval.protocol is 'published', was 'ours'."


def test_other_data_is_a_choice(description):
    saved = _with_files(description(), "/a", 64, "0" * 16)
    current = _with_files(description(), "/b", 40, "1" * 16)
    message = (
        r"run was trained on other data until step 4: its training data: 40 examples \(80 files\) "
        r"in /b, was 64 examples \(128 files\) in /a\. Give another --workdir .*"
        r"--resume=changed_data"
    )
    with pytest.raises(ValueError, match=message):
        _check(saved, current)
    told = _check(saved, current, resume=Resume.CHANGED_DATA)
    assert "Other data since step 4: its training data: 40 examples (80 files) in /b" in told


def test_files_of_equal_number_are_told_to_differ(description):
    saved = _with_files(description(), "/a", 64, "0" * 16)
    current = _with_files(description(), "/a", 64, "1" * 16)
    with pytest.raises(ValueError, match="with other names, sizes or contents"):
        _check(saved, current)


def test_a_moved_folder_is_the_same_data(description):
    saved = _with_files(description(), "/a", 64, "0" * 16)
    current = _with_files(description(), "/b", 64, "0" * 16)
    assert _check(saved, current) == "The training data lies in /b now; it was in /a."


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("data.eval_size", 6, r"evaluation data: .*config\.data\.eval_size is 6, was 12"),
        ("data.train_size", 128, r"training data: .*config\.data\.train_size is 128, was 64"),
        ("seed", 1, r"training data: config\.seed is 1, was 0.*evaluation data: config\.seed is 1"),
    ],
)
def test_keys_that_choose_examples_are_data(description, key, value, message):
    with pytest.raises(ValueError, match=message):
        _check(description(), description(**{key: value}))


def test_other_values_of_the_training_are_told(description):
    told = _check(description(), description(**{"data.random_flip": True}))
    assert told == "Changed since step 4: config.data.random_flip is True, was False."


def test_another_schedule_is_told_with_the_old_one(description):
    told = _check(description(), description(**{"train.batch_size": 16}))
    assert "config.train.batch_size is 16, was 8" in told
    assert (
        "Other schedule since step 4: 10 steps, 1 of them warm-up (64 examples in batches of 16), "
        "was 20 steps, 1 of them warm-up (64 examples in batches of 8)." in told
    )


def test_another_count_of_an_epochs_steps_is_told(description):
    saved = description(**{"train.batch_size": 24})
    del saved["config"]["train"]["epoch_steps"]  # As in runs of earlier versions.
    assert _check(saved, description(**{"train.batch_size": 24})) == ""
    told = _check(saved, description(**{"train.batch_size": 24, "train.epoch_steps": "whole"}))
    assert "config.train.epoch_steps is 'whole', was 'exact'" in told
    assert "Other schedule since step 4: 8 steps, 1 of them" in told and "was 7 steps" in told


@pytest.mark.parametrize(
    ("changes", "end", "epochs"),
    [({"train.num_epochs": 0.5}, 4, "0.75"), ({"train.batch_size": 32}, 5, "3")],
)
def test_an_end_before_the_checkpoint_is_refused(description, changes, end, epochs):
    message = (
        rf"would end at step {end}, but the checkpoint in run is of step 6: config\.train\..* "
        rf"is .*, was .*; {end} steps.*was 20 steps.*num_epochs to {epochs} or more.*"
        "--workdir.*--mode=evaluate"
    )
    with pytest.raises(ValueError, match=message):
        _check(description(), description(**changes), step=6)


def test_never_is_never(description):
    with pytest.raises(ValueError, match="checkpoint of step 4, and --resume=never"):
        _check(description(), description(), resume=Resume.NEVER)


@pytest.mark.parametrize("damage", [None, [], {"train": {"keys": {}}}])
def test_checkpoints_that_do_not_tell_their_data_go_on(description, tiny_experiment, damage):
    saved = json.loads(json.dumps(describe(tiny_experiment())))
    if damage is not None:
        saved |= {"data": damage, "schedule": damage}
    told = _check(saved, description(**{"seed": 1}))
    assert "does not tell its data" in told and "config.seed is 1, was 0" in told
    assert _check(saved, description(), step=0) == ""  # Imported weights have seen no data.
