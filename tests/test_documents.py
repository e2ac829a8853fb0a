"""Commands and figures in the documents: what they name exists."""

import ast
import pathlib
import re
import shlex

import pytest
from absl import flags

from symmflow_jax import main
from symmflow_jax.config import conversion
from symmflow_jax.config.reading import config_file, overrides
from symmflow_jax.evaluation.report import paper
from symmflow_jax.interop.hub import address

ROOT = pathlib.Path(__file__).parents[1]
WEIGHTS = ROOT / "docs" / "weights.md"
DOCUMENTS = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "configs").glob("*.py")]

_MAIN = "symmflow_jax.main"


def _commands(path: pathlib.Path) -> list[tuple[str, list[str]]]:
    """Module and arguments of each command `python -m symmflow_jax...` on lines of their own."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        text = ast.get_docstring(ast.parse(text), clean=False) or ""
    joined = re.sub(r"\\\n\s*", "", text)
    found = re.findall(r"^ {4}(?:.*&& )?python -m (symmflow_jax[\w.]*) (.*)$", joined, re.MULTILINE)
    return [(module, shlex.split(arguments)) for module, arguments in found]


def _values(arguments: list[str]) -> dict[str, str]:
    """The values of flags by name."""
    return dict(text.removeprefix("--").split("=", 1) for text in arguments)


def _flags_of(module: str) -> set[str]:
    """The flags that the source of a module defines."""
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {
        ast.literal_eval(call.args[0])
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr.startswith("DEFINE_")
    }


def _check_command_of_main(arguments: list[str]) -> None:
    """Checks a command as the command line does, without running its mode."""
    rest, given = overrides.split(arguments)
    values = _values(rest)
    config = config_file.load(str(ROOT / values.pop("config"))).to_dict()
    conversion.from_given(overrides.applied(config, given))
    mode = main.MODES[values.get("mode", "train")]
    of_modes = {flag for other in main.MODES.values() for flag in other.flags}
    for name, value in values.items():
        flags.FLAGS[name].parser.parse(value)
        assert name not in of_modes or name in mode.flags, f"--{name} is of other modes"
    assert not overrides.unused(given, mode.keys)


@pytest.mark.parametrize("path", sorted(DOCUMENTS), ids=lambda path: path.name)
def test_commands_name_flags_and_keys_that_exist(path):
    for module, arguments in _commands(path):
        if module == _MAIN:
            _check_command_of_main(arguments)
        else:
            assert set(_values(arguments)) <= _flags_of(module)


def test_the_page_of_weights_imports_and_evaluates():
    modes = [_values(arguments).get("mode") for _, arguments in _commands(WEIGHTS)]
    assert modes.count("import") >= 6 and modes.count("evaluate") >= 5 and modes.count(None) == 2


def test_addresses_have_their_form():
    found = [text for path in DOCUMENTS for text in re.findall(r"=(hf:\S+)", path.read_text())]
    assert found
    for text in found:
        assert str(address.parse(text)) == text


_METRICS = {"mIoU, %": "miou", "FID": "fid", "LPIPS": "lpips"}


@pytest.mark.parametrize(
    ("title", "dataset"), [("COCO-Stuff", "coco_stuff"), ("CelebAMask-HQ", "celebamask_hq")]
)
def test_the_scores_of_the_paper_are_those_of_the_report(title, dataset):
    section = WEIGHTS.read_text().partition(f"### {title}\n")[2].partition("\n#")[0]
    rows = re.findall(r"^\| (\S.*?) \| (\d+) \| (\S+) \| \|$", section, re.MULTILINE)
    found = {(_METRICS[score], int(steps)): float(value) for score, steps, value in rows}
    expected = {
        (series.metric, steps): value
        for series in paper.of(dataset)
        for steps, value in series.values.items()
    }
    assert found == expected
