"""Contenders take turns, and the middle of their times counts."""

import time

import pytest

from symmflow_jax.performance.timing import alternate


def test_tasks_run_in_turn_and_their_median_counts(monkeypatch):
    now, calls = 0.0, []
    durations = {
        "slow": [100.0, 100.0, 3.0, 100.0, 9.0, 100.0, 4.0],
        "quick": [100.0, 100.0, 1.0, 100.0, 1.5, 100.0, 50.0],
    }

    def task(name):
        def run():
            nonlocal now
            calls.append(name)
            now += durations[name].pop(0)

        return run

    monkeypatch.setattr(time, "perf_counter", lambda: now)
    seconds = alternate({name: task(name) for name in ("slow", "quick")}, num_rounds=3)
    assert seconds == pytest.approx({"slow": 4.0, "quick": 1.5})
    assert calls == ["slow", "quick", *["slow", "slow", "quick", "quick"] * 3]
