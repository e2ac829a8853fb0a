"""Models to export, and a place without this package, where the scripts of exports run."""

import os
import pathlib
import subprocess
import sys
from collections.abc import Callable

import jax
import numpy as np
import pytest

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.inference.model import Model
from symmflow_jax.methods.weights import Weights


@pytest.fixture(scope="session")
def drawn_model() -> Callable[[Experiment], Model]:
    """A function from an experiment to a model of drawn weights, without compiling anything."""

    def make(experiment: Experiment) -> Model:
        experiment = experiment.without_files()
        method, rng = experiment.method, np.random.default_rng(0)
        key = jax.random.key(0)
        shapes = jax.eval_shape(lambda: Weights(method.init(key), method.codec.init(key)))
        draw = lambda leaf: 0.2 * rng.standard_normal(leaf.shape, np.float32)  # noqa: E731
        return Model(experiment, jax.tree.map(draw, shapes), step=7)

    return make


@pytest.fixture(scope="session")
def scene_model(tiny_experiment, drawn_model) -> Model:
    """A model of masks with two clocks and probabilities."""
    return drawn_model(
        tiny_experiment(
            **{
                "semantics.encoding": "onehot",
                "train.clock": "mixed",
            }
        )
    )


@pytest.fixture(scope="session")
def point_model(tiny_experiment, drawn_model) -> Model:
    """A model of points and labels."""
    return drawn_model(
        tiny_experiment(
            **{
                "data.source": "spirals",
                "data.image_size": (),
                "semantics.encoding": "plane",
                "semantics.dequantization_beta": 4.0,
                "network.name": "mlp",
                "network.channels": 32,
                "network.num_res_blocks": 2,
            }
        )
    )


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
