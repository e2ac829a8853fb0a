"""Copies on the disk of files of buckets."""

import pytest

from symmflow_jax.runtime.storage import downloads
from symmflow_jax.runtime.storage.bucket_path import BucketPath
from symmflow_jax.runtime.storage.place import as_path


def test_a_copy_is_made_once_and_again_when_the_file_has_changed(bucket, monkeypatch):
    path, made = as_path(bucket) / "b" / "a.txt", []
    download = BucketPath.download
    monkeypatch.setattr(
        BucketPath, "download", lambda self, copy: made.append(copy) or download(self, copy)
    )
    path.write_text("first")
    copy = downloads.fetched(path)
    assert copy == downloads.copy_of(path) == downloads.fetched(path) and len(made) == 1
    assert copy.read_text() == "first" and copy.parts[-2:] == ("b", "a.txt")
    path.write_text("other")
    assert downloads.fetched(path).read_text() == "other" and len(made) == 2


def test_what_is_no_file_is_told(bucket, tmp_path):
    assert downloads.fetched(tmp_path / "none") == tmp_path / "none"
    (as_path(bucket) / "b" / "a.txt").write_text("a")
    with pytest.raises(FileNotFoundError):
        downloads.fetched(as_path(bucket) / "none")
    with pytest.raises(IsADirectoryError):
        downloads.fetched(as_path(bucket) / "b")
