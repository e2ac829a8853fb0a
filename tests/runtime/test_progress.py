"""The progress line, with a clock of its own."""

import time

import pytest

from symmflow_jax.runtime.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def pass_seconds(seconds: float) -> None:
        now[0] += seconds

    return pass_seconds


def test_speed_and_time_left(clock):
    progress = Progress(num_steps=100, batch_size=8, step=0)
    clock(5.0)
    assert progress.advance(10) == "step 10/100  16 images/s  0m45s left"
    clock(90.0)
    assert progress.advance(20) == "step 20/100  1 images/s  12m00s left"


def test_a_resumed_run_counts_its_own_steps(clock):
    progress = Progress(num_steps=10_100, batch_size=4, step=90)
    clock(10.0)
    assert progress.advance(100) == "step 100/10100  4 images/s  2h46m left"


def test_a_pause_does_not_count(clock):
    progress = Progress(num_steps=20, batch_size=1, step=0)
    clock(1.0)
    progress.pause()
    clock(1000.0)
    progress.resume()
    clock(1.0)
    assert progress.advance(10) == "step 10/20  5 images/s  0m02s left"
    assert progress.seconds == 2.0
