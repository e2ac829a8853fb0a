"""Words for messages of errors."""

import pytest

from symmflow_jax.runtime.errors import (
    CheckpointError,
    first_line,
    nearest,
    of_file_system,
    refusal,
    shown,
)


def test_the_first_line_of_a_message():
    assert first_line(ValueError("\n  Too large.\nThe rest is a stack.")) == "Too large."
    assert first_line(ValueError("x" * 1000)) == "x" * 300


@pytest.mark.parametrize("message", ["", " \n "])
def test_an_error_without_words_is_called_by_its_name(message):
    assert first_line(KeyboardInterrupt(message)).startswith("KeyboardInterrupt(")


def test_the_name_that_was_probably_meant():
    names = ["batch_size", "num_epochs", "ema_decay"]
    assert nearest("batchsize", names, "keys") == "Did you mean 'batch_size'?"
    assert nearest("epochs", iter(names), "keys") == "Did you mean 'num_epochs'?"


def test_a_name_like_no_other_gets_all_of_them():
    assert nearest("xyz", (n for n in ("ab", "cd")), "modes") == "The modes are ab, cd."


def test_an_unusable_checkpoint_is_no_value_error():
    # A value error would tell of the config.
    assert not issubclass(CheckpointError, ValueError)


def test_an_error_of_the_file_system_is_one_line_with_a_remedy(tmp_path):
    with pytest.raises(OSError) as error:
        (tmp_path / "missing" / "file").write_text("")
    assert of_file_system(error.value) == (
        f"{tmp_path}/missing/file: No such file or directory. Check that the place exists, has "
        "space and may be used, or give another one."
    )
    assert of_file_system(OSError(28, "No space left on device")).startswith("No space left on")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("été 日本", "été 日本"),
        ("a\nb\tc\x1b", r"a\nb\tc\x1b"),
        ("photo\udcff.png", r"photo\xff.png"),
        ("\ud800", r"\ud800"),
    ],
)
def test_any_text_can_be_shown_in_one_line(text, escaped):
    assert shown(text) == escaped


def test_an_error_without_a_text_is_named_by_its_type():
    class Damaged(Exception):
        def __str__(self):
            raise SystemError("no text")

    assert first_line(Damaged()) == "Damaged"


def test_the_refusal_of_a_file_system_is_found_in_a_longer_message():
    error = ValueError("WRITE: in /a/b [source locations='x'] No space left on device [more]")
    assert refusal(error) == "No space left on device"
    assert refusal(ValueError("another reason\nand more")) == "another reason"
