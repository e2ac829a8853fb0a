"""Managers of the checkpoints in buckets."""

import orbax.checkpoint as ocp
import pytest
from orbax.checkpoint._src.serialization import tensorstore_utils

from symmflow_jax.runs.bucket import managers
from symmflow_jax.runs.bucket.staged_manager import StagedManager
from symmflow_jax.runs.checkpointing import opening
from symmflow_jax.runtime.errors import CheckpointError
from symmflow_jax.runtime.storage.faults import StorageError
from symmflow_jax.runtime.storage.place import as_path


def test_each_kind_of_bucket_has_its_manager(bucket):
    workdir = as_path(bucket)
    with opening.open_manager(workdir, keep=1) as manager:
        assert isinstance(manager, StagedManager) == bucket.startswith("s3")
        assert managers.place_of(manager) == workdir / "checkpoints"
        assert managers.latest_step(manager) is None
        with pytest.raises(CheckpointError, match="^It failed. s3://b: the server is gone$"):
            managers.refuse(StorageError("s3://b: the server is gone"), manager, "It failed")
        managers.refuse(ValueError("damaged"), manager, "It failed")


def test_on_a_disk_orbax_has_its_own(tmp_path):
    with ocp.CheckpointManager(tmp_path / "checkpoints") as manager:
        assert managers.place_of(manager) == tmp_path / "checkpoints"
        managers.refuse(StorageError("s3://b: the server is gone"), manager, "It failed")


def test_a_server_that_is_gone_is_not_waited_for_long():
    managers._retry_for_a_minute()
    contexts = (tensorstore_utils._BASE_TS_CONTEXT, tensorstore_utils._DEFAULT_OCDBT_TS_CONTEXT)
    assert all(context["gcs_request_retries"]["max_retries"] == 6 for context in contexts)
    tensorstore_utils.get_ts_context()
