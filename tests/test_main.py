"""The command line, as a user meets it."""

import csv
import functools
import json
import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow

# Any network does for what the commands do, and one level takes half as long to compile as two.


def _end(process) -> tuple[int, str]:
    output, _ = process.communicate(timeout=300)
    return process.returncode, output


def _contents(folder: pathlib.Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.fixture
def broken_tensorflow(tmp_path) -> str:
    """A folder of modules with a TensorFlow that cannot be imported."""
    package = tmp_path / "modules" / "tensorflow"
    package.mkdir(parents=True)
    text = "raise ImportError('undefined symbol: this TensorFlow is broken')"
    (package / "__init__.py").write_text(text)
    return str(package.parent)


def test_the_modes_follow_each_other(run_main, tmp_path, broken_tensorflow):
    # None of them uses TensorFlow, wherever it comes from.
    run_main = functools.partial(run_main, PYTHONPATH=broken_tensorflow)
    run = tmp_path / "run"
    code, output = _end(run_main(f"--workdir={run}", "--config.train.num_epochs=0.5"))
    assert code == 0, output
    assert "step 4/4" in output and "images/s" in output and "left" in output
    assert "Total: " in output  # The parameter overview.
    # The end is a small table, not a wall of all figures.
    assert "score           solver, steps  value" in output
    assert re.search(r"\nmiou +euler 1 +[01]\.\d{4}", output) and "aurc" not in output
    assert "oneDNN" not in output and "CheckpointManager" not in output

    before = _contents(run)
    arguments = ("--mode=evaluate", f"--output={tmp_path}/report", "--config.eval.num_steps=3,")
    code, output = _end(run_main(f"--workdir={run}", *arguments))
    assert code == 0, output
    metrics = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert {m["num_steps"] for m in metrics} == {2, 3, None}
    for name in ("report.md", "loss.png", "pictures/examples.png"):
        assert (tmp_path / "report" / name).stat().st_size
    # A run that is only read, for instance on a read-only system.
    assert _contents(run) == before

    masks = tmp_path / "masks"
    masks.mkdir()
    Image.fromarray(np.full((20, 30), 2, np.uint8)).save(masks / "squares.png")
    arguments = ("--mode=generate", f"--input={masks}", "--num_steps=2", "--num_samples=3")
    code, output = _end(run_main(f"--workdir={run}", *arguments))
    assert code == 0, output
    made = sorted(path.name for path in (run / "generate").iterdir())
    assert made == ["squares_0.png", "squares_1.png", "squares_2.png"]

    code, output = _end(
        run_main(
            f"--workdir={run}",
            "--mode=segment",
            f"--input={run}/generate",
            f"--output={tmp_path}/m",
        )
    )
    assert code == 0, output
    assert len(list((tmp_path / "m").glob("*_overlay.png"))) == 3

    # What needs a clock for each component, of a run whose leaves have one.
    for arguments, message in (
        (("--mode=sample",), "Sampling from noise alone needs a network with a clock for each"),
        (
            (
                "--mode=generate",
                f"--input={masks}",
                f"--output={tmp_path}/guided",
                "--config.train.clock=independent",
                "--config.guidance.weight=2",
            ),
            "Guidance needs a network with a clock for each component",
        ),
    ):
        code, output = _end(run_main(f"--workdir={run}", *arguments))
        assert code != 0
        assert message in output and "Traceback" not in output


_NO_HOME = """
import os, pathlib

def no_home(cls):
    raise RuntimeError("Could not determine home directory.")

pathlib.Path.home = classmethod(no_home)
os.path.expanduser = lambda path: path
"""


def test_a_config_works_from_another_project_and_without_a_home(tmp_path):
    """As in a container or under cron; the other project has `configs` of its own."""
    root = pathlib.Path(__file__).parents[1]
    for name, text in (("configs/default.py", "1 / 0"), ("site/sitecustomize.py", _NO_HOME)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    without = ("HOME", "XDG_CACHE_HOME", "JAX_COMPILATION_CACHE_DIR")
    environment = {name: value for name, value in os.environ.items() if name not in without}
    config = os.path.relpath(root / "configs" / "shapes.py", tmp_path)
    sizes = [f"--config.data.{split}_size={size}" for split in ("train", "eval") for size in (9, 2)]
    result = subprocess.run(
        [sys.executable, "-m", "symmflow_jax.main", "--mode=check_data", f"--config={config}"]
        + sizes,
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": f"{tmp_path / 'site'}{os.pathsep}{root}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert result.returncode == 0, result.stdout
    assert "training: 2 examples, 2 of them readable." in result.stdout  # The last size counts.
    assert "Compiled programs are not kept (Could not determine home directory.)" in result.stdout


def test_labels_are_classified_into_a_table(run_main, tmp_path):
    run = tmp_path / "run"
    label_run = ("--config.semantics.encoding=plane", "--config.semantics.dequantization_beta=4")
    length = "--config.train.num_epochs=0.25"
    code, output = _end(run_main(f"--workdir={run}", *label_run, length))
    assert code == 0, output
    image = tmp_path / "image.png"
    Image.fromarray(np.zeros((11, 13, 3), np.uint8)).save(image)
    arguments = ("--mode=classify", f"--input={image}", f"--output={tmp_path}/out.csv")
    code, output = _end(run_main(f"--workdir={run}", *arguments))
    assert code == 0, output
    with (tmp_path / "out.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["file"] == "image.png"
    assert row["name"] in ("circle", "square", "triangle", "cross")
    decode_continuous, label = float(row["read_out"]), int(row["label"])
    others = [abs(decode_continuous - other) for other in range(4) if other != label]
    assert float(row["distance_to_next"]) == pytest.approx(min(others), abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--config.train.batch_sise=3"],
            "config.train.batch_sise is not a config key. Did you mean 'train.batch_size'?",
        ),
        (
            ["--config.semantics.encoding=hue"],
            "config.semantics.encoding is 'hue'; choose one of palette, plane, colour, onehot.",
        ),
        (
            [
                "--config.data.source=idx",
                "--config.data.dir=nowhere",
                "--config.semantics.encoding=plane",
            ],
            "nowhere",
        ),
        (
            ["--config.semantics.encoding=plane", "--config.data.source=paired_folder"],
            "'plane' learns a label, but 'paired_folder' has only mask; choose palette, onehot.",
        ),
        (["--mode=segment"], "holds no checkpoints; train first"),
        (["--mode=import"], "--mode=import needs --input"),
        (["--mode=paint"], "paint"),
        (
            ["--mode=benchmark", "--output=/proc/speed.md"],
            "Error: /proc cannot be written: no file can be made in /proc",
        ),
        (["--mode=segment", "--num_steps=0"], "Error: flag --num_steps=0: it must be at least 1."),
        (
            ["--mode=train", "--input=photos"],
            "--input is not used by --mode=train, but by generate",
        ),
        (["--config.train.share_at_one=0.5"], "It is called config.train.prob_at_one now."),
        (["--config.train.clock=free"], "'free' is called 'independent' now."),
    ],
)
def test_a_mistake_ends_in_one_message(run_main, tmp_path, arguments, message):
    code, output = _end(run_main(f"--workdir={tmp_path}/run", *arguments))
    assert code != 0
    assert message in output
    assert "Traceback" not in output


def test_keys_that_a_command_does_not_use_are_named(run_main, tmp_path):
    arguments = ("--mode=check_data", "--config.data.dir=elsewhere", "--config.train.batch_size=3")
    code, output = _end(run_main(f"--workdir={tmp_path}/run", *arguments))
    assert code == 0, output
    assert "Not used by this command: config.train.batch_size, config.data.dir." in output
    code, output = _end(run_main(f"--workdir={tmp_path}/run", "--mode=check_data"))
    assert code == 0 and "Not used" not in output
