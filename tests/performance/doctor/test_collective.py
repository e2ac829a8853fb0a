"""Sums over devices, right or wrong or never there."""

import time

import jax
import pytest

from symmflow_jax.performance.doctor import collective


def test_a_device_alone_has_no_bandwidth():
    assert collective.bandwidth(1 << 10, 5.0) is None


def test_a_sum_has_a_bandwidth(monkeypatch):
    """On one device, which is told that it is one of two."""
    monkeypatch.setattr(jax, "device_count", lambda: 2)
    assert collective.bandwidth(1 << 10, 60.0) > 0


def test_devices_that_do_not_answer_are_told(monkeypatch):
    monkeypatch.setattr(jax, "device_count", lambda: 2)
    monkeypatch.setattr(collective, "_seconds", lambda size: time.sleep(60))
    with pytest.raises(collective.CollectiveError, match="2 devices .* after 0.1 s: .*firewall"):
        collective.bandwidth(1 << 10, 0.1)


def test_a_wrong_sum_is_told(monkeypatch):
    monkeypatch.setattr(jax, "device_count", lambda: 2)
    monkeypatch.setattr(jax, "shard_map", lambda function, **options: lambda part: part * 3)
    with pytest.raises(collective.CollectiveError, match=r"sum over 1 devices is \[3\.\], not 1"):
        collective.bandwidth(1 << 10, 60.0)
