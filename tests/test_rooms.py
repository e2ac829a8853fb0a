"""The rules of the architecture (docs/architecture.md), kept by reading the code."""

import ast
import pathlib
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = ROOT / "symmflow_jax"

# From the ground up: a room imports only from those before it.
ORDER = (
    "flow", "semantics", "networks", "runtime", "interop", "data", "codecs", "methods", "metrics",
    "training", "config", "runs", "inference", "preparation", "evaluation", "loop",
    "performance", "studies", "studio", "commands",
)  # fmt: skip

MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES = 1_200
"""Lines of a folder's own modules, more or less, beyond which it wants rooms of its own."""


def _room(path: pathlib.Path) -> str:
    """The room of a module, or "" for those of the root."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


def _tree(path: pathlib.Path) -> ast.Module:
    return ast.parse(path.read_text())


def _imports(path: pathlib.Path) -> Iterator[str]:
    """The modules of this package that a module imports, wherever in it."""
    for node in ast.walk(_tree(path)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (name for name in names if name.startswith("symmflow_jax."))


def _strings(node: ast.AST) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value


def test_the_root_has_three_modules():
    assert sorted(path.name for path in PACKAGE.glob("*.py")) == [
        "__init__.py",
        "main.py",
        "train.py",
    ]
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders == set(ORDER)


@pytest.mark.parametrize("room", ORDER)
def test_imports_go_one_way(room):
    allowed = set(ORDER[: ORDER.index(room) + 1])
    for path in MODULES:
        if _room(path) != room:
            continue
        # What a command line starts may train.
        may_train = room == "commands" or path.name == "__main__.py"
        for name in _imports(path):
            other = name.split(".")[1]
            if other == "train" and may_train:
                continue
            assert other in allowed, f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("room", ORDER)
def test_every_room_has_quick_tests(room):
    modules = [path.read_text() for path in (ROOT / "tests" / room).rglob("test_*.py")]
    assert any("pytest.mark.slow" not in text for text in modules)


def test_the_mathematics_knows_no_config_files_or_devices():
    for path in MODULES:
        if _room(path) in ("flow", "semantics", "networks"):
            for name in _imports(path):
                assert name.split(".")[1] not in ("config", "runs", "data", "training"), path


_CONFIGS = ("symmflow_jax.config.values", "symmflow_jax.config.sections")


def test_only_the_border_knows_configs():
    """What stands above the border takes an experiment."""
    above = ORDER[ORDER.index("config") + 1 :]
    for path in MODULES:
        if _room(path) not in above and path.name != "train.py":
            continue
        for name in _imports(path):
            assert not name.startswith(_CONFIGS), path
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Attribute) and node.attr == "config":
                assert isinstance(node.value, ast.Name) and node.value.id == "jax", (
                    f"{path.relative_to(ROOT)}:{node.lineno} reaches for a config"
                )


def _choices() -> set[str]:
    from symmflow_jax.config.build.tables import TABLES

    # "" is no name; "pixels" and the like would be, if a table had them.
    return {name for table in TABLES.values() for name in table} - {""}


def test_only_the_border_compares_choices_by_name():
    choices = _choices()
    for path in MODULES:
        if path.is_relative_to(PACKAGE / "config" / "build"):
            continue
        for node in ast.walk(_tree(path)):
            compared = [node] if isinstance(node, ast.Compare | ast.match_case) else []
            for text in (text for part in compared for text in _strings(part)):
                assert text not in choices, f"{path.relative_to(ROOT)} compares with {text!r}"


def test_no_match_swallows_a_new_choice():
    for path in MODULES:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.match_case):
                is_wildcard = isinstance(node.pattern, ast.MatchAs) and node.pattern.pattern is None
                assert not is_wildcard, f"{path.relative_to(ROOT)}:{node.pattern.lineno}: case _"


_BINARY_OPENERS = ("Image", "tarfile", "gzip", "zipfile", "members", "safetensors")
"""Modules whose `open` is not of text."""


def _forgets_encoding(call: ast.Call) -> bool:
    """True for a call that reads or writes text in the encoding of the locale."""
    function = call.func
    is_method = isinstance(function, ast.Attribute)
    name = function.attr if is_method else getattr(function, "id", "")
    owner = getattr(function.value, "id", "") if is_method else ""
    if name == "open":
        # Of a mode, "rb" or "wb".
        is_binary = any("b" in text for part in call.args[-1:] for text in _strings(part))
        is_text = not is_binary and owner not in _BINARY_OPENERS
    else:
        is_text = is_method and name in ("read_text", "write_text") and owner != "files"
    return is_text and all(keyword.arg != "encoding" for keyword in call.keywords)


def test_text_is_utf_8_in_every_locale():
    for path in MODULES:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Call) and _forgets_encoding(node):
                raise AssertionError(f"{path.relative_to(ROOT)}:{node.lineno} names no encoding")


def test_json_has_no_nan():
    """`files.as_json` writes null; other programs cannot read NaN."""
    for path in MODULES:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("json.dump", "json.dumps"):
                given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                assert given.get("allow_nan") == "False", (
                    f"{path.relative_to(ROOT)}:{node.lineno} may write NaN; use files.as_json"
                )


def _own_lines(folder: pathlib.Path) -> int:
    return sum(len(path.read_text().splitlines()) for path in folder.glob("*.py"))


def test_no_folder_is_crowded():
    folders = {path.parent for path in MODULES}
    crowded = {
        str(folder.relative_to(PACKAGE)): _own_lines(folder)
        for folder in folders
        if _own_lines(folder) > MOST_LINES
    }
    assert not crowded


# What holds no behaviour of its own: protocols, tables that other tests read, and packages.
_WITHOUT_MIRROR = {
    "codecs/codec.py",
    "commands/mode.py",
    "config/build/tables.py",
    *(f"config/sections/{path.name}" for path in (PACKAGE / "config/sections").glob("*.py")),
    "flow/couplings/coupling.py",
    "flow/objectives/objective.py",
    "flow/parameterizations/parameterization.py",
    "flow/solvers/solver.py",
    "semantics/encoding.py",
    "studies/baseline/__main__.py",
    "studies/few_steps/__main__.py",
    "training/parallel/parallelism.py",
}


def _has_mirror(path: pathlib.Path) -> bool:
    relative = path.relative_to(PACKAGE)
    return (ROOT / "tests" / relative.parent / f"test_{path.name}").exists()


def test_every_module_has_its_mirror_in_the_tests():
    missing = [
        str(path.relative_to(PACKAGE))
        for path in MODULES
        if path.name not in ("__init__.py", "__main__.py") and not _has_mirror(path)
    ]
    assert sorted(set(missing) - _WITHOUT_MIRROR) == []


def test_every_test_mirrors_a_module():
    """Beside what runs across rooms, and the scripts of launch/."""
    across = {
        "test_rooms.py",
        "test_site.py",
        "test_refusals.py",
        "test_documents.py",
        "test_earlier_runs.py",
        "test_published_code.py",
        "test_latent_run.py",
        "test_points_run.py",
        "test_parallel.py",
        "test_campaign.py",
        "test_together.py",
        "test_project.py",
        "test_wheel.py",
        "test_buckets.py",
        "test_unknown_labels.py",
    }
    stray = [
        str(path.relative_to(ROOT / "tests"))
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if path.name not in across
        and path.parent.name != "launch"
        and not (
            PACKAGE / path.relative_to(ROOT / "tests").parent / path.name.removeprefix("test_")
        ).exists()
    ]
    assert stray == []
