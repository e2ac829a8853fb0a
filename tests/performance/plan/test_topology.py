"""What stands in the way of a topology."""

import importlib.util

import jax
import pytest
from jax.experimental import topologies

from symmflow_jax.performance.plan import topology


def test_libtpu_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"needs libtpu, .*pip install 'symmflow_jax\[tpu\]'"):
        topology.open_topology("v5e:2x2")


def test_another_process_that_uses_libtpu_is_named(monkeypatch):
    def refuse(*args, **kwargs):
        raise jax.errors.JaxRuntimeError("ABORTED: ... libtpu multi-process lockfile. Run ...")

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(topologies, "get_topology_desc", refuse)
    with pytest.raises(ValueError, match="Another process on this machine uses libtpu"):
        topology.open_topology("v5e:2x2")


@pytest.mark.parametrize("name", ["", "v5e", "2x2"])
def test_a_topology_is_a_chip_and_a_layout(name):
    with pytest.raises(ValueError, match=r"give a chip .* and a layout, such as v5e:4x4"):
        topology.open_topology(name)
