"""Makes the pages of config keys, modes and flags from the code that reads them."""

import ast
import dataclasses
import html
import inspect
import pathlib
import re
import sys

from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).parents[2]
# The package of this checkout, wherever another one is installed.
sys.path.insert(0, str(ROOT))

# ruff: noqa: E402
from absl import flags

from symmflow_jax import main
from symmflow_jax.config.build.tables import TABLES
from symmflow_jax.config.schema.fields import Field, fields_of
from symmflow_jax.config.values import Config

NO_PROGRAMS = ("main", "config.documentation")
"""Modules that start something, but are described elsewhere."""

OF_ALL_MODES = ("config", "mode", "workdir")
OF_PROCESSES = ("coordinator", "num_processes", "process_id", "startup_timeout")
_KINDS = {bool: "True or False", int: "whole number", float: "number", str: "text"}


def docstrings_of(section: type) -> dict[str, str]:
    """The meaning of each attribute of a dataclass, from its docstring."""
    text = inspect.getdoc(section) or ""
    attributes = text.partition("\nAttributes:\n")[2]
    found = {}
    for entry in re.split(r"^    (?=\S)", attributes, flags=re.MULTILINE)[1:]:
        names, _, meaning = entry.partition(":")
        for name in names.split(","):
            found[name.strip()] = " ".join(meaning.split())
    return found


def kind_of(field: Field) -> str:
    """Type and range of a key in words."""
    kind = "path" if field.is_path else _KINDS[field.kind]
    kind = f"tuple, each a {kind}" if field.is_tuple else kind
    allowed = f", {field.allowed}" if field.allowed else ""
    return f"{kind}{allowed}" + (", or none" if field.is_optional else "")


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


def linked(text: str) -> str:
    """A docstring with names of pages as links."""
    return re.sub(r"docs/(\w+\.md)", r"[\1](../\1)", text)


def _choices_of(key: str) -> str:
    if key not in TABLES:
        return ""
    names = ", ".join(f"`{name or chr(39) * 2}`" for name in TABLES[key])
    anchor = f"config{key.replace('.', '')}"
    return f"\n\nOne of {names}: [what they are](../choices.md#{anchor})."


def _key(key: str, field: Field, value: object, meaning: str) -> str:
    return (
        f"### {key} {{ #{key} data-toc-label={key.rpartition('.')[2]} }}\n\n"
        f"*{_upper(kind_of(field))}.* By default `{value!r}`.\n\n"
        f"{linked(_upper(meaning))}{_choices_of(key)}"
    )


def _section(name: str, section: object) -> list[str]:
    """Heading and keys of a section, and of the sections in it."""
    meanings, fields = docstrings_of(type(section)), fields_of(type(section))
    prefix = f"{name}." if name else ""
    head = linked((inspect.getdoc(type(section)) or "").partition("\nAttributes:\n")[0].strip())
    blocks = [f"## {name or 'The run'}\n\n{head if name else 'Keys outside of sections.'}"]
    inner = []
    for field in dataclasses.fields(section):
        value = getattr(section, field.name)
        if dataclasses.is_dataclass(value):
            inner += _section(prefix + field.name, value)
        else:
            key = prefix + field.name
            blocks.append(_key(key, fields[field.name], value, meanings[field.name]))
    return blocks + inner


def config_page() -> str:
    """Markdown of all keys of the config."""
    head = (
        "# Config keys\n\nEvery key with its type, range and default. A config file sets them as "
        "`config.train.batch_size = 8`, and the command line as `--config.train.batch_size=8`. "
        "Lists are `64,64` or `\"('sky', 'road (wet)')\"`; `none` is no value. A number out of its "
        "range, and a name that is no key, are errors of one line that say what is allowed."
    )
    return "\n\n".join([head, *_section("", Config())]) + "\n"


def _flag(name: str, default: object, meaning: str) -> str:
    shown = "" if default in (None, "", False, []) else f" By default `{default}`."
    return f"`--{name}`\n:   {html.escape(meaning)}{shown}"


def _flag_of_main(name: str) -> str:
    flag = flags.FLAGS[name]
    values = getattr(flag.parser, "enum_values", None)
    meaning = (
        f"One of {', '.join(values)}. {flag.help.partition('>: ')[2]}" if values else flag.help
    )
    # The term is an anchor for the links of the modes.
    return _flag(name, flag.default, meaning).replace("\n", f"{{ #flag-{name} }}\n", 1)


def _mode(name: str, mode: "main.Mode") -> str:
    own = ", ".join(f"[`--{flag}`](#flag-{flag})" for flag in mode.flags) or "none of its own"
    keys = ", ".join(f"`{key}`" for key in mode.keys) or "none"
    several = " It may share its work among several processes." if mode.several else ""
    return (
        f"### --mode={name} {{ #{name} data-toc-label={name} }}\n\n"
        f"{_upper(mode.summary)}.{several}\n\n"
        f"- Flags: {own}.\n- Keys of the config: {keys}."
    )


def flags_in(path: pathlib.Path) -> list[tuple[str, object, str]]:
    """Name, default and help of the flags that a module defines, without running it."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        name = getattr(getattr(node, "func", None), "attr", getattr(node, "func", None))
        name = getattr(name, "id", name)
        if isinstance(node, ast.Call) and re.match(r"DEFINE_|define_number", str(name)):
            texts = [ast.literal_eval(part) for part in node.args[:2] if _is_literal(part)]
            helps = [_text(part) for part in node.args[2:] if _text(part)]
            found.append((texts[0], texts[1] if len(texts) > 1 else None, helps[0]))
    return found


def _is_literal(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant | ast.List | ast.Tuple)


def _text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def programs() -> list[str]:
    """The other programs: modules of the package that can be started."""
    package = ROOT / "symmflow_jax"
    found = [
        ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__main__")
        for path in sorted(package.rglob("*.py"))
        if '__name__ == "__main__"' in path.read_text(encoding="utf-8")
    ]
    return [name for name in found if name not in NO_PROGRAMS]


def _program(name: str) -> str:
    folder = ROOT / "symmflow_jax" / name.replace(".", "/")
    path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    head = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]
    # Studies share their flags.
    shared = ROOT / "symmflow_jax" / "studies" / "report.py"
    flags_file = shared if name.startswith("studies.") else path
    own = "\n\n".join(_flag(*flag) for flag in flags_in(flags_file))
    return f"### symmflow_jax.{name} {{ data-toc-label={name} }}\n\n{head}\n\n{own}".strip()


def modes_page() -> str:
    """Markdown of all modes and flags."""
    of_modes = sorted({name for mode in main.MODES.values() for name in mode.flags})
    head = (
        "# Modes and flags\n\nOne program does everything: "
        "`python -m symmflow_jax.main --config=FILE --mode=MODE`. A flag that the mode does not "
        "use is an error; a [key of the config](config.md) that it does not use is named and "
        "ignored."
    )
    return (
        "\n\n".join(
            [
                head,
                "## Modes",
                *(_mode(name, mode) for name, mode in main.MODES.items()),
                "## Flags",
                "### Of all modes",
                *(_flag_of_main(name) for name in OF_ALL_MODES),
                "### Of some modes",
                *(_flag_of_main(name) for name in of_modes),
                "### Of runs in several processes",
                *(_flag_of_main(name) for name in OF_PROCESSES),
                "## Other programs",
                *(_program(name) for name in programs()),
            ]
        )
        + "\n"
    )


def on_files(files, config):
    """Adds the two pages."""
    for name, page in (("config", config_page), ("modes", modes_page)):
        files.append(File.generated(config, f"reference/{name}.md", content=page()))
    return files
