"""The benchmark's command, as a user meets it."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def _run(*arguments: str) -> tuple[int, str]:
    result = subprocess.run(
        [sys.executable, "-m", "symmflow_jax.main", "--mode=benchmark", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ,
    )
    return result.returncode, result.stdout


def test_the_tables_come_out(tmp_path):
    code, output = _run(
        "--config=configs/spirals.py",
        "--config.network.channels=16",
        "--config.data.train_size=512",
        "--batch_sizes=16",
        "--num_rounds=1",
        f"--output={tmp_path}/speed.md",
    )
    assert code == 0, output
    text = (tmp_path / "speed.md").read_text()
    assert text.strip() in output
    for start in ("| first state |", "| train step | 16 |", "| one-step recognition | 16 |"):
        assert start in text
    assert "| threads of the main process |" in text


@pytest.mark.parametrize("sizes", ["0", "-4", "many"])
def test_a_wrong_batch_size_is_named(sizes):
    code, output = _run("--config=configs/spirals.py", f"--batch_sizes={sizes}")
    assert code != 0
    assert f"--batch_sizes is {sizes}; give numbers such as 64,128." in output
    assert "Traceback" not in output
