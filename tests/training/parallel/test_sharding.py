"""Which part of an array a device keeps; `eight_devices.py` looks at arrays on devices."""

import dataclasses
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec

from symmflow_jax.runtime.processes import BATCH_AXIS
from symmflow_jax.training.parallel.sharding import (
    DATA_AXES,
    Sharding,
    key_shape,
    local_devices,
    slices,
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


def test_the_devices_of_one_slice_share_an_array():
    two_slices = dataclasses.replace(_row(8), num_slices=2)
    assert _spec(two_slices, (4, 3)) == PartitionSpec(BATCH_AXIS)
    assert _spec(two_slices, (2, 3)) == PartitionSpec()
    assert two_slices.first_slice == two_slices.devices[:4]
    assert two_slices.local().num_slices == 1


def _on_slices(platform, *numbers):
    return [types.SimpleNamespace(platform=platform, slice_index=n, id=i)
            for i, n in enumerate(numbers)]  # fmt: skip


def test_tpu_slices_are_told_by_their_numbers():
    found = slices(_on_slices("tpu", 1, 0, 1, 0))
    assert [[device.id for device in group] for group in found] == [[1, 3], [0, 2]]
    # GPUs of one host may have such a number, too, but their state is split over all of them.
    assert [len(group) for group in slices(_on_slices("gpu", 1, 0, 1, 0))] == [4]
    with pytest.raises(ValueError, match="slices have 1 and 2 devices; give slices of one size"):
        slices(_on_slices("tpu", 0, 1, 1))


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
    assert dict(sharding.mesh.shape) == {"slice": 1, "batch": 1}
    tree = {"kernel": np.arange(6.0, dtype=np.float32).reshape(2, 3)}
    placed = jax.device_put(tree, sharding.shardings(tree))
    np.testing.assert_array_equal(placed["kernel"], tree["kernel"])
    shapes = with_sharding(tree, sharding.whole)
    assert shapes["kernel"].shape == (2, 3) and shapes["kernel"].sharding == sharding.whole
    assert sharding.of_batch.spec == PartitionSpec(DATA_AXES)


def test_the_shape_of_a_key_is_that_of_keys():
    key = jax.random.key(3)
    assert (key_shape().shape, key_shape().dtype) == (key.shape, key.dtype)
