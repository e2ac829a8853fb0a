"""The package as it is installed: what a wheel holds, used outside of the tree."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

import symmflow_jax

pytestmark = pytest.mark.slow

ROOT = pathlib.Path(__file__).parents[1]

_PARTS = ("symmflow_jax", "configs", "setup.cfg", "setup.py", "pyproject.toml")
_TEXTS = ("README.md", "LICENSE")

_SHORT_RUN = (
    "--config=configs/gaussian_mixture.py",
    "--config.data.train_size=64",
    "--config.data.eval_size=8",
    "--config.train.batch_size=8",
    "--config.train.num_epochs=0.5",
    "--config.train.warmup_epochs=0.1",
    "--config.train.eval_every_steps=0",
    "--config.eval.metrics=objective",
)


def _run(*command: str, status: int = 0, **options) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> pathlib.Path:
    """A folder into which a wheel of the tree is installed, without its dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"
    tree.mkdir()
    # A copy, because a build leaves files behind, and takes up those that an earlier one has left.
    for name in (*_PARTS, *_TEXTS):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, tree / name)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    _run(*pip, "wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={folder}", str(tree))
    (wheel,) = folder.glob("*.whl")
    target = folder / "installed"
    _run(*pip, "install", "--no-deps", "--no-index", f"--target={target}", str(wheel))
    return target


@pytest.fixture
def start(installed, tmp_path, compiled_programs):
    """A function that runs Python or a program of the wheel in an empty folder."""
    own = {"PYTHONPATH": str(installed), "JAX_COMPILATION_CACHE_DIR": str(compiled_programs)}

    def run(*command: str, status: int = 0) -> str:
        return _run(*command, status=status, cwd=tmp_path, env=os.environ | own)

    return run


def test_the_wheel_is_what_runs(start, installed):
    code = "import symmflow_jax; print(symmflow_jax.__file__, symmflow_jax.__version__)"
    place, version = start(sys.executable, "-c", code).split()
    assert pathlib.Path(place) == installed / "symmflow_jax" / "__init__.py"
    assert version == symmflow_jax.__version__
    assert [path.name for path in installed.glob("*.dist-info")] == [
        f"symmflow_jax-{version}.dist-info"
    ]
    assert not (installed / "configs").exists()
    assert (installed / "symmflow_jax" / "py.typed").is_file()


def test_the_command_lists_its_configs_and_helps(start, installed):
    symmflow = str(installed / "bin" / "symmflow")
    listed = start(symmflow, "--config=list")
    for path in (ROOT / "configs").glob("*.py"):
        assert f"configs/{path.name} " in listed
    assert str(installed / "symmflow_jax" / "configs") in listed
    # absl ends with the status 1 after its help.
    text = start(sys.executable, "-m", "symmflow_jax.main", "--help", status=1)
    assert "--mode: <train|" in text and "--config:" in text


def test_a_shipped_config_trains_in_an_empty_folder(start, installed, tmp_path):
    """One that builds on another one."""
    output = start(str(installed / "bin" / "symmflow"), *_SHORT_RUN)
    assert f"Config: {installed}/symmflow_jax/configs/gaussian_mixture.py, which comes" in output
    assert "step 4/4" in output
    assert (tmp_path / "runs" / "gaussian_mixture" / "metrics.json").is_file()
