"""Runs the notebooks from start to end and keeps their outputs; needs `pip install '.[notebooks]'`.

    python launch/notebooks/execute.py                  # all, with their own parameters
    python launch/notebooks/execute.py 5_the_method EPOCHS=2.0
    python launch/notebooks/execute.py --refresh        # only writes badges and first cells

Each notebook runs in `runs/notebooks`, where `data` may hold data sets that are then not fetched.
NAME=VALUE gives another value, a literal of Python, to a name in the cell tagged "parameters"; the
notebook keeps its own. All notebooks share the cell that installs, `install_cell.ipy`, and a badge
with the address that it names. `--refresh` copies both into them, so that another address of the
repository is one change.
"""

import argparse
import ast
import contextlib
import os
import pathlib
import re
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

import nbformat
from nbclient import NotebookClient

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
NOTEBOOKS = sorted(HERE.glob("[0-9]_*.ipynb"))

SETUP = (HERE / "install_cell.ipy").read_text(encoding="utf-8").rstrip()
"""The first code cell of each notebook."""

EXTRAS = {"4_published_weights": '"hub"'}
"""Further extras that a notebook needs, besides that of the accelerator."""

PARAMETERS = "parameters"
"""Tag of the cell whose values may be changed, as papermill has it."""

_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"


class NotebookError(ValueError):
    """A notebook cannot be run, or one of its commands failed."""


def repository() -> str:
    """The address of the project, from the cell that installs it."""
    return re.search(r'^REPOSITORY = "(.*)"$', SETUP, re.MULTILINE)[1]


def badge(name: str) -> str:
    """The Markdown of the badge that opens a notebook in Colab."""
    path = repository().removeprefix("https://github.com/")
    address = f"https://colab.research.google.com/github/{path}/blob/main/launch/notebooks/{name}"
    return f"[![Open in Colab]({_BADGE})]({address})"


def setup_of(name: str) -> str:
    """The cell that installs what a notebook needs."""
    return SETUP.replace("EXTRAS = []", f"EXTRAS = [{EXTRAS.get(name, '')}]")


def refresh(path: pathlib.Path) -> None:
    """Writes the badge and the cell that installs into a notebook."""
    notebook = nbformat.read(path, as_version=4)
    title, setup = notebook.cells[:2]
    title.source = re.sub(r"^\[!\[Open.*$", badge(path.name), title.source, flags=re.MULTILINE)
    setup.source = setup_of(path.stem)
    nbformat.write(notebook, path)


def parameters_of(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The cell of the parameters.

    Raises:
        NotebookError: if there is not exactly one.
    """
    cells = [cell for cell in notebook.cells if PARAMETERS in cell.metadata.get("tags", ())]
    if len(cells) != 1:
        raise NotebookError(f"{len(cells)} cells have the tag {PARAMETERS!r}; one should.")
    return cells[0]


def changed(source: str, changes: Mapping[str, Any]) -> str:
    """The source of a cell of parameters with other values.

    Raises:
        NotebookError: if a name has no value there.
    """
    known = {
        target.id
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    unknown = sorted(set(changes) - known)
    if unknown:
        raise NotebookError(f"{unknown[0]} is no parameter; they are {', '.join(sorted(known))}.")
    return "\n".join([source, *(f"{name} = {value!r}" for name, value in changes.items())])


def run(path: pathlib.Path, folder: pathlib.Path, changes: Mapping[str, Any] = {}) -> Any:
    """Runs a notebook in a folder; returns it with its outputs, and with its own sources.

    Args:
        path: the notebook.
        folder: the current folder of its cells; made if it is not there.
        changes: other values of its parameters.

    Raises:
        NotebookError: if a parameter is unknown.
        CellExecutionError: if a cell raises an error, or a shell command of it fails.
    """
    notebook = nbformat.read(path, as_version=4)
    sources = [cell.source for cell in notebook.cells]
    cell = parameters_of(notebook)
    cell.source = changed(cell.source, changes) + _CHECK_OF_COMMANDS
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "configs").exists():
        (folder / "configs").symlink_to(ROOT / "configs")
    client = NotebookClient(
        notebook,
        timeout=None,
        startup_timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": folder}},
    )
    with _environment():
        client.execute()
    for cell, source in zip(notebook.cells, sources, strict=True):
        cell.source = source
    _clean(notebook)
    return notebook


# IPython raises no error for a command that fails.
_CHECK_OF_COMMANDS = """
def _checked(_command, _run=get_ipython().system):
    _run(_command)
    if _exit_code:
        raise RuntimeError(f"The command ended with status {_exit_code}: {_command}")

get_ipython().system = _checked
"""


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    """Lets kernel and commands find this checkout and this Python."""
    before = dict(os.environ)
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    # With this option of bash, a pipeline fails with any of its commands.
    os.environ |= {"SHELL": shutil.which("bash") or "sh", "SHELLOPTS": "pipefail"}
    os.environ["PATH"] = os.pathsep.join([str(pathlib.Path(sys.executable).parent), before["PATH"]])
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _clean(notebook: nbformat.NotebookNode) -> None:
    """Leaves out what need not be kept, and raises NotebookError for a command with an error."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":  # XLA's alarms tell that the machine was busy.
            cell.outputs = [o for o in cell.outputs if "slow_operation_alarm" not in str(o)]
        for output in cell.get("outputs", ()):
            text = output.get("text", "")
            failed = re.search(r"^(Error: .*|Traceback .*)$", text, re.MULTILINE)
            if failed:
                raise NotebookError(failed[0])
            if "image/png" in output.get("data", {}):
                output["data"].pop("image/jpeg", None)  # Pillow gives both.
            if "text" in output:
                output["text"] = re.sub(r"^.*\r(?=[^\n])", "", text, flags=re.MULTILINE)


def main() -> None:
    """Runs the notebooks that the command line names, and writes them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("words", nargs="*", help="names of notebooks, and NAME=VALUE")
    parser.add_argument("--refresh", action="store_true", help="write badges and first cells only")
    parser.add_argument("--folder", default=str(ROOT / "runs" / "notebooks"))
    options = parser.parse_args()
    changes = dict(word.split("=", 1) for word in options.words if "=" in word)
    names = [word for word in options.words if "=" not in word]
    unknown = set(names) - {path.stem for path in NOTEBOOKS}
    if unknown:
        parser.error(f"no notebook {unknown.pop()}; there are {[p.stem for p in NOTEBOOKS]}")
    for path in NOTEBOOKS:
        if names and path.stem not in names:
            continue
        refresh(path)
        if options.refresh:
            continue
        start = time.monotonic()
        values = {name: ast.literal_eval(value) for name, value in changes.items()}
        nbformat.write(run(path, pathlib.Path(options.folder), values), path)
        seconds, size = time.monotonic() - start, path.stat().st_size
        sys.stdout.write(f"{path.name}: {seconds:.0f} s, {size / 1e6:.2f} MB\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
