"""The peer in PyTorch, which need not be there."""

import sys
import types

import pytest

from symmflow_jax.performance import workloads
from symmflow_jax.performance.benchmark import torch_peer

_NAMES = ("torch", "torchcfm", "torchcfm.models", "torchcfm.models.unet")
_NETWORK = "torchcfm.models.unet.unet"


@pytest.fixture
def pretended(monkeypatch):
    """Empty modules in the place of PyTorch and torchcfm."""
    for name in (*_NAMES, _NETWORK):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))


def test_it_is_there_if_both_can_be_imported(pretended):
    assert torch_peer.is_installed()


@pytest.mark.parametrize("missing", ["torch", _NETWORK])
def test_it_is_not_there_if_one_is_missing(pretended, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    assert not torch_peer.is_installed()


def test_the_peer_does_the_same_work(tiny_experiment):
    torch = pytest.importorskip("torch")
    pytest.importorskip("torchcfm")
    values = {"network.channels": 32, "network.channel_multipliers": (1,)}
    tasks = torch_peer.tasks(tiny_experiment(**values), 2)
    assert set(tasks) == set(workloads.NAMES)
    tasks[workloads.TRAIN_STEP]()
    for name in (workloads.GENERATION, workloads.RECOGNITION):
        result = tasks[name]()
        assert result.shape == (2, 3, 8, 8) and bool(torch.isfinite(result).all())
