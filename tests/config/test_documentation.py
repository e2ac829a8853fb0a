"""The page of choices is what the tables say."""

import pathlib

from symmflow_jax.config.build.tables import TABLES
from symmflow_jax.config.documentation import PATH, choices_as_markdown

ROOT = pathlib.Path(__file__).parents[2]


def test_the_page_is_up_to_date():
    page = (ROOT / PATH).read_text()
    assert page == choices_as_markdown(), "run python -m symmflow_jax.config.documentation"


def test_every_choice_is_documented_once():
    lines = choices_as_markdown().splitlines()
    for key, table in TABLES.items():
        assert f"## `config.{key}`" in lines
        for name, choice in table.items():
            assert any(f"`{name}`" in line and choice.summary in line for line in lines) or not name
