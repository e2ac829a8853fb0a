"""How devices share a training, on eight of them."""

import os
import pathlib
import subprocess
import sys


def test_everything_on_eight_devices(compiled_programs):
    """JAX takes the number of simulated devices when it starts: hence a process of its own."""
    root = pathlib.Path(__file__).parent.parent
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/eight_devices.py"],
        cwd=root,
        env=os.environ
        | {
            "XLA_FLAGS": "--xla_force_host_platform_device_count=8",
            "JAX_COMPILATION_CACHE_DIR": str(compiled_programs),
        },
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert " passed" in result.stdout and "skipped" not in result.stdout
