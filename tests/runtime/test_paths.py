"""Paths as users write them."""

import os

import pytest

from symmflow_jax.runtime.paths import expand


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("data/coco", "data/coco"),
        ("~", "/home/me"),
        ("~/runs", "/home/me/runs"),
        ("$DATA/coco", "/big/coco"),
        ("a/${DATA}b", "a//bigb"),
        ("$HOMELY/x", "/home/me/x"),
        ("a~b", "a~b"),
        ("price$", "price$"),
        ("run$1", "run$1"),
        ("gs://bucket/x", "gs://bucket/x"),
    ],
)
def test_homes_and_variables_are_expanded_and_nothing_else(monkeypatch, text, expected):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("DATA", "/big")
    monkeypatch.setenv("HOMELY", "~")
    assert expand(text, "--workdir") == expected


@pytest.mark.parametrize("text", ["$NO_SUCH_FOLDER/x", "${NO_SUCH_FOLDER}"])
def test_a_variable_that_is_not_set_is_named(text):
    with pytest.raises(ValueError) as error:
        expand(text, "config.data.dir")
    assert str(error.value) == (
        f"config.data.dir is {text!r}, but the environment variable NO_SUCH_FOLDER is not set; "
        "set it, or write the path out."
    )


def test_a_home_that_is_not_known_is_named(monkeypatch):
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    with pytest.raises(ValueError, match=r"but no home folder is known for ~; set HOME or write"):
        expand("~/x", "--workdir")
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"for ~no_such_user; .* \(./~no_such_user for a folder"):
        expand("~no_such_user/x", "--workdir")
    assert expand("./~no_such_user", "--workdir") == "./~no_such_user"
