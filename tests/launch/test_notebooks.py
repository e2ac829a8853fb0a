"""The notebooks: every cell runs on tiny settings, and the first one installs what is needed."""

import base64
import collections
import gzip
import importlib.util
import io
import json
import os
import pathlib
import re
import struct

import absl.logging
import nbformat
import numpy as np
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from IPython.utils.text import DollarFormatter
from notebooks import execute
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
TINY = str(ROOT / "tests" / "configs" / "tiny.py")

TINY_CONFIG = f"""
import runpy

def get_config():
    config = runpy.run_path({TINY!r})["get_config"]()
    config.semantics.encoding = "onehot"
    config.train.clock = "independent"
    config.eval.metrics = ("recognition",)
    return config
"""
"""The tiny config with two clocks and a short evaluation."""

CHANGES = {
    "1_quick_start": {"CONFIG": "tiny.py", "EPOCHS": 0.3},
    "2_your_own_photos": {"EPOCHS": 0.1, "HEIGHT": 8, "WIDTH": 8, "CHANNELS": 8, "LEVELS": "1"},
    "3_classification": {
        "EPOCHS": 1.0,
        "SIDE": 8,
        "CHANNELS": 8,
        "LEVELS": "2",
        "NUM_DIGITS": 20,
        "DRAWS": 2,
    },
    "4_published_weights": {
        "STAND_IN_CONFIG": "tiny.py",
        "STAND_IN_WEIGHTS": "hf:ocaetas/SymmFlow/weights.safetensors",
        "EPOCHS": 0.3,
    },
    "5_the_method": {"EPOCHS": 0.02, "CHANNELS": 8, "NUM_POINTS": 40, "FRAMES": 3},
}
"""Parameters with which each notebook takes seconds."""

PICTURES = {
    "1_quick_start": 5,
    "2_your_own_photos": 2,
    "3_classification": 5,
    "4_published_weights": 3,
    "5_the_method": 8,
}
"""How many pictures each notebook shows."""


def _named(paths: list[pathlib.Path]) -> list:
    return [pytest.param(path, id=path.stem) for path in paths]


def _outputs(notebook) -> list:
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def _pictures(notebook) -> list[Image.Image]:
    found = [output.get("data", {}).get("image/png") for output in _outputs(notebook)]
    return [Image.open(io.BytesIO(base64.b64decode(text))) for text in found if text]


class _FilesOnDisk(collections.UserDict):
    """The files of a folder by name, as they are when they are asked for."""

    def __init__(self, folder: pathlib.Path):
        self._folder = folder

    @property
    def data(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self._folder.glob("*.safetensors")}


def _write_idx(path: pathlib.Path, array: np.ndarray) -> None:
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    path.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes()))


def _write_digits(folder: pathlib.Path) -> None:
    """Bars whose place is their label, in the four files of MNIST."""
    folder.mkdir(parents=True)
    for split, count in (("train", 64), ("t10k", 20)):
        labels = np.arange(count) % 10
        images = np.zeros((count, 28, 28))
        for image, label in zip(images, labels, strict=True):
            image[:, 2 * label + 3 : 2 * label + 6] = 255
        _write_idx(folder / f"{split}-images-idx3-ubyte.gz", images)
        _write_idx(folder / f"{split}-labels-idx1-ubyte.gz", labels)


@pytest.mark.slow
@pytest.mark.parametrize("path", _named(execute.NOTEBOOKS))
def test_every_cell_runs(path, tmp_path, hub, hub_server):
    _write_digits(tmp_path / "data" / "mnist")
    (tmp_path / "tiny.py").write_text(TINY_CONFIG)
    # The hub has what the notebook exports.
    files = _FilesOnDisk(tmp_path / "stand_in")
    hub.repositories["ocaetas/SymmFlow"] = hub_server.Repository({"main": files})

    notebook = execute.run(path, tmp_path, CHANGES[path.stem])

    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    pictures = _pictures(notebook)
    assert len(pictures) == PICTURES[path.stem]
    assert all(np.asarray(picture.convert("L")).std() > 5 for picture in pictures)
    assert [cell.source for cell in notebook.cells] == [
        cell.source for cell in nbformat.read(path, as_version=4).cells
    ]
    asked = [request for request in hub.requests if request[1].endswith("weights.safetensors")]
    assert bool(asked) == (path.stem == "4_published_weights")


@pytest.mark.slow
def test_a_command_that_fails_ends_the_run(tmp_path):
    cells = [
        nbformat.v4.new_code_cell("STATUS = 0", metadata={"tags": [execute.PARAMETERS]}),
        nbformat.v4.new_code_cell("!sh -c 'exit {STATUS}'"),
        nbformat.v4.new_code_cell("!echo {STATUS}"),
    ]
    path = tmp_path / "commands.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    assert "0" in _outputs(execute.run(path, tmp_path))[0]["text"]
    with pytest.raises(Exception, match="status 3"):
        execute.run(path, tmp_path, {"STATUS": 3})


@pytest.mark.parametrize("path", _named(execute.NOTEBOOKS))
def test_badge_and_first_cell_are_those_of_all_notebooks(path, tmp_path):
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    execute.refresh(copy)
    assert json.loads(copy.read_text()) == json.loads(path.read_text())
    title, setup = nbformat.read(path, as_version=4).cells[:2]
    assert f"/blob/main/launch/notebooks/{path.name})" in title.source
    assert "git+{REPOSITORY}" in setup.source


def test_the_page_of_notebooks_has_their_links():
    """Links without the picture of the badge, for which the site would ask another host."""
    page = (ROOT / "docs" / "notebooks.md").read_text(encoding="utf-8")
    for path in execute.NOTEBOOKS:
        address = execute.badge(path.name).split("](")[-1]
        assert f"[Open in Colab]({address}" in page


@pytest.mark.parametrize("path", _named(execute.NOTEBOOKS))
def test_outputs_are_kept_and_small(path):
    assert path.stat().st_size < 1_000_000
    notebook = nbformat.read(path, as_version=4)
    outputs = _outputs(notebook)
    assert len(_pictures(notebook)) == PICTURES[path.stem]
    for output in outputs:
        assert output.output_type != "error"
        assert not re.search(r"/(root|home|tmp|work)/", json.dumps(output.get("text", "")))


def test_parameters_have_their_names():
    source = "EPOCHS = 0.5  # Passes\nRUN = 'runs/a'"
    assert execute.changed(source, {}) == source
    values: dict = {}
    exec(execute.changed(source, {"EPOCHS": 2.0}), values)
    assert (values["EPOCHS"], values["RUN"]) == (2.0, "runs/a")
    with pytest.raises(execute.NotebookError, match="EPOCH is no parameter; they are EPOCHS, RUN"):
        execute.changed(source, {"EPOCH": 2.0})


def test_a_notebook_needs_one_cell_of_parameters():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("a = 1")])
    with pytest.raises(execute.NotebookError, match="0 cells have the tag 'parameters'"):
        execute.parameters_of(notebook)


class _Shell:
    """A stand-in of IPython that notes what pip is asked for."""

    def __init__(self, names: dict):
        self.names, self.installed = names, []

    def run_line_magic(self, magic: str, line: str) -> None:
        assert magic == "pip"
        # As IPython fills in names.
        filled = DollarFormatter().vformat(line, args=[], kwargs=self.names)
        self.installed.append(filled.removeprefix("install -q "))


def _run_first_cell(monkeypatch, folder: pathlib.Path, smi: str, missing: set[str]) -> list[str]:
    """What the first cell installs, where `nvidia-smi` prints a text and packages are missing."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\necho '{smi}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}" if smi else str(folder / "none"))
    monkeypatch.chdir(folder)
    find = importlib.util.find_spec
    known = {"jax_cuda12_plugin": None if "jax_cuda12_plugin" in missing else object()}
    known |= {name: None for name in missing}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: known.get(name, find(name)))
    monkeypatch.setattr(absl.logging, "set_verbosity", lambda level: None)
    names: dict = {}
    shell = _Shell(names)
    names["get_ipython"] = lambda: shell
    exec(TransformerManager().transform_cell(execute.setup_of("1_quick_start")), names)
    return shell.installed


@pytest.mark.parametrize(
    ("smi", "has_plugin", "extra"),
    [
        ("", False, ""),
        ("Driver Version: 550.54  CUDA Version: 12.4", True, "cuda12"),
        ("Driver Version: 580.65  CUDA Version: 13.0", False, "cuda13"),
        ("Driver Version: 580.65  CUDA Version: 13.0", True, "cuda12"),
        ("Driver Version: 595.10  CUDA UMD Version: 13.2", False, "cuda13"),
        ("Driver Version: 470.10  CUDA Version: 11.4", False, ""),
    ],
)
def test_the_first_cell_names_the_extra_of_the_accelerator(
    monkeypatch, tmp_path, capsys, smi, has_plugin, extra
):
    missing = {"symmflow_jax"} | (set() if has_plugin else {"jax_cuda12_plugin"})
    installed = _run_first_cell(monkeypatch, tmp_path, smi, missing)
    assert installed == [f'"symmflow_jax[{extra}] @ git+{execute.repository()}"']
    assert capsys.readouterr().out == f"Ready: {extra or 'CPU'}\n"


def test_the_first_cell_installs_nothing_where_the_package_is(monkeypatch, tmp_path):
    assert _run_first_cell(monkeypatch, tmp_path, "", set()) == []


def test_the_first_cell_asks_for_a_restart_only_if_a_loaded_package_changed(
    monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(np, "__version__", "1.0")
    _run_first_cell(monkeypatch, tmp_path, "", {"symmflow_jax"})
    assert "Restart the session now" in capsys.readouterr().out
