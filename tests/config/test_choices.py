"""Tables of choices: entries by name, and messages for names that are not there."""

import fractions

import pytest

from symmflow_jax.config.build.tables import TABLES
from symmflow_jax.config.choices import Choice, choose, listed

_TABLE = {"whole": Choice(int, "a number"), "": Choice("fractions:Fraction", "a fraction")}


def test_a_name_gives_its_entry_and_the_entry_its_constructor():
    assert choose(_TABLE, "whole", "config.x").resolve()("3") == 3
    assert choose(_TABLE, "", "config.x").resolve() is fractions.Fraction


def test_a_place_may_be_a_method_of_a_class():
    make = Choice("fractions:Fraction.from_float", "").resolve()
    assert make(0.25) == fractions.Fraction(1, 4)


def test_a_place_that_is_not_there_is_an_error():
    with pytest.raises(AttributeError, match="Fractions"):
        Choice("fractions:Fractions", "").resolve()


def test_unknown_names_are_refused_with_the_list():
    with pytest.raises(ValueError) as error:
        choose(_TABLE, "hole", "config.x")
    assert str(error.value) == (
        "config.x is 'hole'; choose one of whole, '' (none). Did you mean 'whole'?"
    )
    with pytest.raises(ValueError, match=r"'' \(none\)\. It is gone\.$"):
        choose(_TABLE, "zzz", "config.x", "It is gone.")


def test_lists_call_the_empty_name_none():
    assert listed(["a", "", "b"]) == "a, '' (none), b"
    assert listed([]) == ""


@pytest.mark.parametrize("key", TABLES)
def test_every_entry_says_what_it_is_in_one_line(key):
    for name, choice in TABLES[key].items():
        assert choice.summary and "\n" not in choice.summary, name


def test_a_name_of_thousands_of_letters_is_shortened():
    with pytest.raises(ValueError, match=r"^config\.network\.dtype is 'x+ \.\.\.; choose") as error:
        choose({"a": Choice(dict, "")}, "x" * 10_000, "config.network.dtype")
    assert len(str(error.value)) < 400
