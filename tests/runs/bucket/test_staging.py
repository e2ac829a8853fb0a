"""Files of a run that grow."""

import pytest

from symmflow_jax.runs.bucket import staging
from symmflow_jax.runs.folder import HISTORY, SKIPPED, History, read_history, read_skipped
from symmflow_jax.runtime import processes
from symmflow_jax.runtime.storage import faults
from symmflow_jax.runtime.storage.bucket_path import BucketPath
from symmflow_jax.runtime.storage.place import as_path


def test_on_a_disk_they_are_written_to_the_run_itself(tmp_path):
    growing = staging.of(tmp_path)
    assert growing.folder == tmp_path and growing.fetch(HISTORY) == tmp_path / HISTORY
    growing.sync()
    assert staging.of(tmp_path) is growing and not growing.is_staged
    growing.close()
    assert tmp_path.is_dir() and staging.of(tmp_path) is not growing
    staging.of(tmp_path).close()


def test_a_history_goes_on_and_is_never_cut(bucket):
    workdir = as_path(bucket)
    for start in (0, 2):
        growing = staging.of(workdir)
        history = History(growing.fetch(HISTORY).parent, start)
        for step in range(start + 1, start + 4):
            history.append(step, {"loss": 1.0})
            growing.sync(HISTORY, seconds=1e6 if step > start + 1 else 0.0)
        growing.close()
    assert [line["step"] for line in read_history(workdir)] == [1, 2, 3, 4, 5]
    assert not growing.folder.exists()


def test_only_what_has_changed_is_copied(bucket, monkeypatch):
    growing, copied = staging.of(as_path(bucket)), []
    upload = BucketPath.upload
    monkeypatch.setattr(
        BucketPath, "upload", lambda self, path: copied.append(path.name) or upload(self, path)
    )
    (growing.folder / "events").write_bytes(b"1")
    growing.sync()
    growing.sync()
    assert copied == ["events"]
    (growing.folder / "events").write_bytes(b"12")
    monkeypatch.setattr(faults, "is_gone", lambda: True)
    growing.close()
    assert copied == ["events"]


@pytest.mark.parametrize("index", [0, 1])
def test_each_process_has_its_own_file_of_skipped_examples(bucket, monkeypatch, index):
    workdir = as_path(bucket)
    for process in range(index + 1):
        monkeypatch.setattr(processes, "is_primary", lambda process=process: process == 0)
        shard = processes.Shard(process, 2)
        monkeypatch.setattr(processes, "shard", lambda shard=shard: shard)
        growing = staging.of(workdir)
        growing.fetch(SKIPPED).write_text(f'{{"index": 1, "error": "{process} is cut off"}}\n')
        growing.close()
    assert read_skipped(workdir) == [f"{process} is cut off" for process in range(index + 1)]
