"""Commands with flags as a command line gives them."""

import importlib

import pytest
from absl import flags
from absl.testing import flagsaver

from symmflow_jax import main  # noqa: F401, defines the flags


@pytest.fixture
def flag_values():
    """A function that sets flags as a command line would, until the end of the test."""
    with flagsaver.flagsaver():
        flags.FLAGS.mark_as_parsed()

        def give(**values) -> None:
            for name, value in values.items():
                flags.FLAGS[name].parse(value)
                flags.FLAGS[name].present += 1

        yield give


class Called:
    """Stands for the function that a command calls; keeps what it was given."""

    def __init__(self, answer=None):
        self.answer, self.arguments, self.named = answer, (), {}

    def __call__(self, *arguments, **named):
        self.arguments, self.named = arguments, named
        return self.answer


@pytest.fixture
def called(monkeypatch):
    """A function that puts a `Called` in the place of a function, given "module:name"."""

    def replace(place: str, answer=None) -> Called:
        module, name = place.split(":")
        stand_in = Called(answer)
        monkeypatch.setattr(importlib.import_module(f"symmflow_jax.{module}"), name, stand_in)
        return stand_in

    return replace
