"""Writes the documentation of all choices from their tables.

    python -m symmflow_jax.config.documentation

writes `docs/choices.md`, which a test compares with the tables.
"""

import pathlib
from collections.abc import Mapping

from symmflow_jax.config.build.tables import TABLES
from symmflow_jax.config.choices import Choice

PATH = pathlib.Path("docs") / "choices.md"


def choices_as_markdown() -> str:
    """A Markdown page with a table for each config key that has choices."""
    sections = [_section(key, table) for key, table in TABLES.items()]
    head = (
        "# Choices\n\nThe names that values of a config may have. `python -m "
        "symmflow_jax.config.documentation` writes this page from the tables in "
        "`symmflow_jax/config/build/`; [architecture.md](architecture.md) says how to add to them."
    )
    return "\n\n".join([head, *sections]) + "\n"


def _section(key: str, table: Mapping[str, Choice]) -> str:
    rows = "\n".join(
        f"| `{name or chr(39) * 2}` | {choice.summary} |" for name, choice in table.items()
    )
    return f"## `config.{key}`\n\n| value | what it is |\n| --- | --- |\n{rows}"


if __name__ == "__main__":
    PATH.write_text(choices_as_markdown(), encoding="utf-8")
