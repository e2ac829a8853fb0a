"""How devices share a training: on eight of them, and on those of two processes."""

import json
import os
import pathlib
import runpy
import socket
import subprocess
import sys

import jax
import numpy as np
import pytest

pytestmark = pytest.mark.slow

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[2]


def _start(*arguments: str, flags: str) -> subprocess.Popen:
    """JAX takes the number of simulated devices when it starts: hence a process of its own."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | {"XLA_FLAGS": flags, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_everything_on_eight_devices():
    process = _start(
        *(
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "tests/training/parallel/eight_devices.py",
        ),
        flags="--xla_force_host_platform_device_count=8",
    )
    output, errors = process.communicate(timeout=600)
    assert process.returncode == 0, output + errors
    assert " passed" in output and "skipped" not in output


@pytest.mark.usefixtures("standard_dtype_promotion")
def test_two_processes_share_a_state(tiny_experiment, tmp_path):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    processes = [
        _start(
            *("tests/training/parallel/two_processes.py", address, str(index), str(tmp_path)),
            flags=os.environ["XLA_FLAGS"],
        )
        for index in range(2)
    ]
    module = runpy.run_path(str(HERE / "eight_devices.py"))
    alone = module["Training"](tiny_experiment(**module["POINTS"]), "one")
    expected = alone.parallelism.fetch(alone.state.ema_params)
    norms = [np.linalg.norm(leaf) for leaf in jax.tree.leaves(expected)]
    for process in processes:
        output, errors = process.communicate(timeout=600)
        assert process.returncode == 0, output + errors
        result = json.loads(output.splitlines()[-1])
        np.testing.assert_allclose(result["losses"], alone.losses, rtol=1e-5)
        np.testing.assert_allclose(result["ema_params"], norms, rtol=1e-4, atol=1e-5)
        assert result["restored"] and result["own devices"]
