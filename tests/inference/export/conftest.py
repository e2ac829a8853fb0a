"""A place without this package, where the scripts of exports run."""

import os
import pathlib
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest


@pytest.fixture
def run_outside(tmp_path) -> Callable[..., subprocess.CompletedProcess]:
    """A function that runs a Python file where `import symmflow_jax` fails.

    Without `site`, the file that links this project into the environment is not read; and should
    the project be installed as a whole, a module of its name that raises an error comes first.
    """
    blocker = tmp_path / "blocker"
    blocker.mkdir()
    (blocker / "symmflow_jax.py").write_text("raise ImportError('the package is blocked')")
    packages = pathlib.Path(np.__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": f"{blocker}{os.pathsep}{packages}"}
    empty = tmp_path / "empty"
    empty.mkdir()

    def run(*arguments: str | pathlib.Path) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-S", *map(str, arguments)],
            cwd=empty,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    # The check of the place itself.
    assert "the package is blocked" in run("-c", "import symmflow_jax").stderr
    return run
