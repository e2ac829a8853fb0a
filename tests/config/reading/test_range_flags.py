"""Flags of numbers: their ranges, and NaN, which absl's own bounds let pass."""

import pytest
from absl import flags

from symmflow_jax.config.reading import range_flags
from symmflow_jax.config.schema.ranges import at_least, between


@pytest.fixture
def parse():
    """A function from arguments to the flags `count` and `share`."""
    values = flags.FlagValues()
    for name, default, kind, allowed in (
        ("count", None, int, at_least(1)),
        ("share", 0.0, float, between(0, 1)),
    ):
        parser = range_flags._RangeParser(kind, allowed)
        flags.DEFINE(parser, name, default, "", flag_values=values)

    def read(*arguments: str) -> flags.FlagValues:
        values(["program", *arguments])
        return values

    return read


def test_numbers_in_the_range_are_taken(parse):
    assert parse("--count=3", "--share=1").count == 3
    assert parse("--share=0.5").share == 0.5
    assert parse("--count=2", "--count=4").count == 4


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--count=0", "flag --count=0: it must be at least 1."),
        ("--count=2.5", "flag --count=2.5: it must be of type int."),
        ("--count=99999999999", "it must be at least 1 and at most 2147483647."),
        ("--share=nan", "flag --share=nan: it must be at least 0 and at most 1."),
        ("--share=-0.1", "flag --share=-0.1: it must be at least 0 and at most 1."),
        ("--share=half", "flag --share=half: it must be of type float."),
    ],
)
def test_other_numbers_are_refused_in_one_line(parse, argument, message):
    with pytest.raises(flags.IllegalFlagValueError) as error:
        parse(argument)
    assert str(error.value).endswith(message) and "\n" not in str(error.value)
