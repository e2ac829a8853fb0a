"""Who exchanges messages with whom; `eight_devices.py` looks at what becomes of arrays."""

import types

import pytest

from symmflow_jax.training.parallel.collectives import scatter_stages, two_stages


def _devices(platform, count):
    return [types.SimpleNamespace(platform=platform)] * count


def test_groups_of_two_stages():
    across, within = two_stages(8, 4)
    assert across == [[0, 4], [1, 5], [2, 6], [3, 7]]
    assert within == [[0, 1, 2, 3], [4, 5, 6, 7]]


@pytest.mark.parametrize(
    ("platform", "count", "num_stages"),
    [("cpu", 16, 1), ("gpu", 16, 1), ("tpu", 8, 1), ("tpu", 16, 2), ("tpu", 64, 2)],
)
def test_only_larger_slices_need_two(platform, count, num_stages):
    stages = scatter_stages(_devices(platform, count))
    assert len(stages) == num_stages
    for groups in stages:
        assert (groups is None) == (num_stages == 1)
        assert groups is None or sorted(sum(groups, [])) == list(range(count))
