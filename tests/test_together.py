"""Several processes, started as a user would: they learn as one, stop together and miss the lost.

What takes longer is in `tests/campaigns/faults.py`.
"""

import signal

import pytest

from symmflow_jax.runs.checkpointing import layout
from symmflow_jax.runtime.cluster.session import LOST
from tests.campaigns.cluster import SMALL_RUN, Cluster

pytestmark = pytest.mark.slow

_LONG = (*SMALL_RUN, "--config.train.num_epochs=5000", "--config.train.log_every_steps=5")
_WAIT = 240.0


@pytest.fixture
def cluster(tmp_path):
    """A function that starts the processes of a command."""
    started = []

    def start(*arguments: str, **options) -> Cluster:
        run = Cluster(tmp_path / "run", *arguments, **options)
        started.append(run)
        return run

    yield start
    for run in started:
        run.__exit__()


def test_all_leave_with_one_and_end_without_one(cluster, tmp_path):
    run = cluster(*_LONG, count=2)
    assert run.wait_for("step 15/", _WAIT)
    run.processes[1].send_signal(signal.SIGTERM)
    assert run.statuses(_WAIT) == [128 + signal.SIGTERM] * 2, run.texts()
    first, second = run.texts()
    step = layout.latest_step(tmp_path / "run")
    assert f"Saved step {step} in {tmp_path}/run; the same command goes on from here." in first
    assert "Saved" not in second and "step 15/" not in second

    run = cluster(*_LONG, count=2)
    assert run.wait_for(f"Resumed .* at step {step}\\.", _WAIT)
    assert run.wait_for(r"\d  step \d+/", _WAIT)
    run.processes[1].kill()
    assert run.statuses(_WAIT) == [LOST, -signal.SIGKILL], run.texts()
    text = run.texts()[0]
    assert "Error: process 1 of 2 is lost: it has ended without a word" in text.splitlines()[-1]
    assert "Traceback" not in text
    assert layout.latest_step(tmp_path / "run") >= step


def test_a_missing_process_is_named(cluster):
    run = cluster(*SMALL_RUN, "--mode=doctor", "--startup_timeout=1", count=3, ids=[0])
    assert run.statuses(_WAIT) == [LOST]
    (text,) = run.texts()
    assert text.startswith("Error: processes 1 and 2 of 3 did not come to 127.0.0.1:")


def test_an_error_is_told_by_one_process(cluster):
    run = cluster(*SMALL_RUN, "--config.train.batch_size=7", count=2)
    assert run.statuses(_WAIT) == [1, 1]
    first, second = (
        [line for line in text.splitlines() if "Gloo" not in line] for text in run.texts()
    )
    assert first[-1].startswith("Error: config.train.batch_size is 7, which 2 devices")
    assert second == []


def test_a_command_for_one_process_refuses_several(cluster):
    run = cluster(*SMALL_RUN, "--mode=export", count=2, ids=[1])
    assert run.statuses(_WAIT) == [1]
    (text,) = run.texts()
    assert text.splitlines() == [
        "Error: --mode=export runs in one process, not in 2; start it on one host, with "
        "--num_processes=1 and without --coordinator."
    ]
