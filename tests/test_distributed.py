"""Batches over devices."""

import numpy as np
import pytest

from symmflow_jax import distributed


@pytest.mark.parametrize(
    ("batch_size", "devices", "remedy"), [(10, 4, "choose 8 or 12"), (3, 8, r"choose 8\.")]
)
def test_an_indivisible_batch_names_its_neighbours(batch_size, devices, remedy):
    message = rf"config\.train\.batch_size is {batch_size}, which {devices} devices .*{remedy}"
    with pytest.raises(ValueError, match=message):
        distributed.check_batch_size(batch_size, devices, "config.train.batch_size")


def test_sums_over_one_process_are_the_values():
    np.testing.assert_array_equal(distributed.sum_over_processes(np.arange(3)), [0, 1, 2])
