"""Which part of an array a device keeps; `eight_devices.py` looks at arrays on devices."""

import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec

from symmflow_jax.runtime.processes import BATCH_AXIS
from symmflow_jax.training.parallel.sharding import (
    Sharding,
    key_shape,
    local_devices,
    with_sharding,
)


def _row(count, **attributes) -> Sharding:
    """A row of devices that are only counted."""
    return Sharding(tuple(types.SimpleNamespace(process_index=i % 2) for i in range(count)), 1)


def _spec(sharding, shape):
    return sharding.spec(jax.ShapeDtypeStruct(shape, jnp.float32))


@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((4, 8), 1),
        ((8, 4), 0),
        ((8, 8), 0),  # The first of equal ones.
        ((4, 9), 0),  # The larger one is not divided.
        ((3, 3, 4, 16), 3),
        ((9, 7), None),
        ((), None),
    ],
)
def test_arrays_are_split_along_the_largest_axis_that_devices_divide(shape, axis):
    expected = PartitionSpec() if axis is None else PartitionSpec(*[None] * axis, BATCH_AXIS)
    assert _spec(_row(4), shape) == expected


@pytest.mark.parametrize(
    ("smallest_split", "is_split"), [(32, True), (33, False), (None, False), (1, True)]
)
def test_small_arrays_stay_whole(smallest_split, is_split):
    sharding = Sharding(_row(4).devices, smallest_split)
    assert (_spec(sharding, (4, 8)) != PartitionSpec()) == is_split


def test_every_array_of_a_tree_is_split_by_itself():
    tree = {"a": jnp.zeros((4, 2)), "b": [jnp.zeros(3)]}
    specs = _row(2).specs(tree)
    assert specs == {"a": PartitionSpec(BATCH_AXIS), "b": [PartitionSpec()]}


def test_a_process_has_devices_of_its_own():
    devices = _row(6).devices
    assert local_devices(devices) == list(devices[::2])
    own = Sharding(devices, smallest_split=7).local()
    assert own.devices == devices[::2] and own.smallest_split == 7


def test_arrays_on_a_row_of_one_device():
    sharding = Sharding(tuple(jax.devices()), smallest_split=1)
    assert sharding.mesh.axis_names == (BATCH_AXIS,)
    tree = {"kernel": np.arange(6.0, dtype=np.float32).reshape(2, 3)}
    placed = jax.device_put(tree, sharding.shardings(tree))
    np.testing.assert_array_equal(placed["kernel"], tree["kernel"])
    shapes = with_sharding(tree, sharding.whole)
    assert shapes["kernel"].shape == (2, 3) and shapes["kernel"].sharding == sharding.whole
    assert sharding.of_batch.spec == PartitionSpec(BATCH_AXIS)


def test_the_shape_of_a_key_is_that_of_keys():
    key = jax.random.key(3)
    assert (key_shape().shape, key_shape().dtype) == (key.shape, key.dtype)
