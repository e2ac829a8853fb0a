"""Tables in Markdown."""

import re

import pytest

from symmflow_jax.runs import markdown


def test_a_table_has_a_line_for_each_row():
    assert markdown.table(["solver", "steps"], [("euler", 1), ("dopri5", None)]).splitlines() == [
        "| solver | steps |",
        "| --- | --- |",
        "| euler | 1 |",
        "| dopri5 | None |",
    ]


def test_a_table_may_have_no_rows():
    assert markdown.table(("a",), iter(())) == "| a |\n| --- |"


def test_one_value_has_no_spread():
    assert markdown.mean_and_spread([0.123456]) == "0.1235"


def test_the_spread_of_several_values_is_that_of_a_sample():
    # Differences of 1 to either side of the mean: the sum of squares is 2, over n - 1 = 2.
    assert markdown.mean_and_spread([1.0, 2.0, 3.0]) == "2.0000 ± 1.0000"
    assert markdown.mean_and_spread([0.5, 0.5]) == "0.5000 ± 0.0000"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("dining_table", "dining_table"),
        ("_hidden_", "\\_hidden\\_"),
        ("a*b*", "a\\*b\\*"),
        ("`x` <b> [y] & $z$", "\\`x\\` \\<b\\> \\[y\\] \\& \\$z\\$"),
        (" road ", "&nbsp;road&nbsp;"),
        ("two\nlines\x00", "two lines&nbsp;"),
        ("Straße, 木", "Straße, 木"),
    ],
)
def test_a_name_is_shown_letter_by_letter(name, shown):
    assert markdown.escape(name) == shown


def test_no_content_of_a_cell_ends_it():
    names = ["a|b", "c\nd", "e\r\n|f", "\u2028", "g\\\\|"]
    text = markdown.table(names, [[markdown.escape(name) for name in names], names])
    lines = text.split("\n")
    assert len(text.splitlines()) == len(lines) == 4
    for line in lines:
        # Bars that a backslash does not escape, as a reader of Markdown counts them.
        assert len(re.sub(r"\\[\\|]", "", line).split("|")) == 7, line
