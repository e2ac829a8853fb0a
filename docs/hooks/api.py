"""Makes one page of the site for each room of the package, from its docstrings."""

import ast
import pathlib
import re

from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).parents[2]
PACKAGE = ROOT / "symmflow_jax"
ARCHITECTURE = ROOT / "docs" / "architecture.md"

IN_FULL = ("flow", "semantics", "networks", "codecs", "methods", "metrics", "training", "inference")
"""Rooms of which every module is on the site."""

ON_FIRST_PAGE = PACKAGE / "inference" / "model.py"

IN_PART = {
    "interop": ("hub/address.py",),
    "data": ("batch.py", "source.py"),
    "config": ("build/experiment.py", "choices.py", "conversion.py", "reading/config_file.py"),
    "evaluation": ("compare.py", "evaluator.py", "findings.py"),
}
"""Modules of other rooms that programs outside of the package use."""


def summaries() -> dict[str, str]:
    """What is in each room, in the order of the page of the architecture."""
    text = ARCHITECTURE.read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `(\w+)/` \| (.+) \|$", text, re.MULTILINE))


def is_public(path: pathlib.Path) -> bool:
    """True for a module with public classes or functions."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    kinds = (ast.ClassDef, ast.FunctionDef)
    return any(isinstance(node, kinds) and node.name[0] != "_" for node in body)


def modules_of(room: str) -> list[pathlib.Path]:
    """The modules of a room that are on the site."""
    if room in IN_FULL:
        found = sorted((PACKAGE / room).rglob("*.py"))
        return [path for path in found if is_public(path) and path != ON_FIRST_PAGE]
    return [PACKAGE / room / name for name in IN_PART.get(room, ())]


def page_of(room: str, summary: str) -> str:
    """Markdown of a room."""
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in modules_of(room)
    ]
    blocks = [f"::: {name}\n    options:\n      show_root_full_path: true" for name in names]
    return "\n\n".join([f"# {room}", summary, *blocks]) + "\n"


def on_files(files, config):
    """Adds the pages."""
    for room, summary in summaries().items():
        if modules_of(room):
            content = page_of(room, summary)
            files.append(File.generated(config, f"api/{room}.md", content=content))
    return files
