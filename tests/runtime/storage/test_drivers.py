"""Drivers of buckets."""

import importlib.util

import pytest

from symmflow_jax.runtime.storage import drivers
from symmflow_jax.runtime.storage.faults import StorageError
from symmflow_jax.runtime.storage.place import place


@pytest.mark.parametrize("scheme, extra", [("gs", "gcs"), ("s3", "s3")])
def test_a_missing_driver_is_told_with_its_extra(monkeypatch, scheme, extra):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StorageError, match=rf"pip install 'symmflow_jax\[{extra}\]'"):
        place(f"{scheme}://some-bucket/run", "--workdir")


def test_a_bucket_is_asked_before_the_work(bucket):
    drivers.check_bucket(bucket)
    missing = f"{bucket[:5]}no-such-bucket/run"
    with pytest.raises(StorageError, match=r"there is no bucket 'no-such-bucket'. Make it with"):
        place(missing, "--workdir")


def test_libraries_use_the_same_drivers(bucket):
    from etils import epath

    assert type(epath.Path(bucket)._backend).__name__ == "_FileSystemSpecBackend"
