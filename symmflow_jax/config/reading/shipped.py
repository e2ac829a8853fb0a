"""The config files that come with the package, which a command finds in any folder.

A checkout has them in its folder `configs`, and an installed package inside of itself.
"""

import ast
import difflib
import pathlib

LIST = "list"
"""What `--config` is to print all of them."""

_NAME = "configs"
_PACKAGE = pathlib.Path(__file__).parents[2]


def folder() -> pathlib.Path:
    """The folder that holds the files."""
    installed = _PACKAGE / _NAME
    return installed if installed.is_dir() else _PACKAGE.parent / _NAME


def files() -> list[pathlib.Path]:
    """The files, sorted by name."""
    return sorted(folder().glob("*.py"))


def find(given: pathlib.Path) -> pathlib.Path | None:
    """The file that a path means which is no file itself; None if it means none of them.

    Args:
        given: such as `configs/shapes.py`, `shapes.py` or `shapes`. A path in another folder means
            none, because whoever writes it has a file of their own in mind.
    """
    if given.is_absolute() or given.parent not in (pathlib.Path(), pathlib.Path(_NAME)):
        return None
    return next((file for file in files() if given.name in (file.name, file.stem)), None)


def near(name: str) -> str:
    """A sentence with the files whose names are most similar to an unknown name."""
    similar = difflib.get_close_matches(name, [file.stem for file in files()], n=3, cutoff=0.5)
    if not similar:
        return f"--config={LIST} prints those that come with symmflow_jax."
    names = ", ".join(f"{_NAME}/{stem}.py" for stem in similar)
    return f"With symmflow_jax comes {names}; --config={LIST} prints all."


def listing() -> str:
    """All files in lines of their own, each with the first line of its docstring."""
    width = max(len(file.name) for file in files())
    lines = [f"  {_NAME}/{file.name:{width}}  {_title(file)}" for file in files()]
    return "\n".join(
        [
            "Configs that come with symmflow_jax. The text of each begins with its commands:",
            *lines,
            f"They lie in {folder()}. To change more than overrides can, copy one.",
        ]
    )


def _title(file: pathlib.Path) -> str:
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]
