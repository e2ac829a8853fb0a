"""Batches over devices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import multihost_utils

from symmflow_jax.runtime import processes


@pytest.mark.parametrize(
    ("batch_size", "devices", "remedy"), [(10, 4, "choose 8 or 12"), (3, 8, r"choose 8\.")]
)
def test_an_indivisible_batch_names_its_neighbours(batch_size, devices, remedy):
    message = rf"config\.train\.batch_size is {batch_size}, which {devices} devices .*{remedy}"
    with pytest.raises(ValueError, match=message):
        processes.check_batch_size(batch_size, devices, "config.train.batch_size")


def test_sums_over_one_process_are_the_values():
    np.testing.assert_array_equal(processes.sum_over_processes(np.arange(3)), [0, 1, 2])


def test_large_counts_survive_the_way_through_devices(monkeypatch):
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    # What a device makes of an array, twice.
    monkeypatch.setattr(
        multihost_utils,
        "process_allgather",
        lambda array: np.asarray(jnp.stack([jnp.asarray(array)] * 2)),
    )
    counts = {
        "large": np.array([[2**40 + 1, 3]], np.int64),
        "fine": np.float64(1) + 2.0**-40,
        "single": np.float32([0.5, 2.0]),
    }
    total = processes.sum_over_processes(counts)
    np.testing.assert_array_equal(total["large"], [[2**41 + 2, 6]])
    assert total["fine"] == 2 + 2.0**-39 and total["fine"].dtype == np.float64
    np.testing.assert_array_equal(total["single"], [1.0, 4.0])


def test_what_is_made_for_one_process_says_so(monkeypatch):
    processes.check_single_process("--mode=encode")
    monkeypatch.setattr(jax, "process_count", lambda: 4)
    with pytest.raises(ValueError, match="--mode=encode runs in one process, not in 4"):
        processes.check_single_process("--mode=encode")
