"""Places as users write them."""

import pathlib

import pytest

from symmflow_jax.runtime.storage import place
from symmflow_jax.runtime.storage.place import as_path, check, is_remote, local


@pytest.mark.parametrize(
    "text", ["", "runs/a", "/a/b:c", "./gs:/bucket", "C:/runs", "a//b", "hf:owner/name", "gs/a"]
)
def test_other_texts_are_paths_on_disks(text):
    path = place.place(text, "--workdir")
    assert type(path) is type(pathlib.Path()) and path == pathlib.Path(text)
    assert not is_remote(text) and not is_remote(path)


@pytest.mark.parametrize(
    "text, message",
    [
        ("gs:/bucket/run", "written gs://bucket/run, and a folder of that name ./gs:/bucket/run"),
        ("gs//bucket/run", "a place in a bucket is written gs://bucket/run"),
        ("gs:bucket/run", "a place in a bucket is written gs://bucket/run"),
        ("GS://bucket/run", "a place in a bucket is written gs://bucket/run"),
        ("gcs://bucket/run", "a place in a bucket is written gs://bucket/run"),
        ("s3a://bucket/run", "a place in a bucket is written s3://bucket/run"),
        ("gs:///run", "a place in a bucket is written gs://run"),
        ("gs://", "a place in a bucket is written gs://BUCKET/FOLDER"),
        ("hdfs://host/run", "hdfs:// is not known; give a folder, or a place in a bucket: gs://"),
        ("az://bucket/run", "az:// is not known"),
        ("file:///run", "file:// is not known"),
        ("gs://ab/run", "'ab' cannot be the name of a bucket: it has 3 letters or more"),
        ("gs://Bucket/run", "'Bucket' cannot be the name of a bucket"),
        ("gs://bucket/../run", r"write it without '\.\.' and '\.'"),
        ("s3://bucket/run*", r"in a bucket, '\*' has another meaning"),
        ("s3://bucket/r\nun", r"in a bucket, '\\n' has another meaning"),
    ],
)
def test_what_would_become_a_folder_of_that_name_is_refused(text, message):
    with pytest.raises(ValueError, match=message) as refused:
        check(text, "--workdir")
    assert str(refused.value).startswith("--workdir is ") and "\n" not in str(refused.value)


def test_what_needs_a_disk_is_told_with_the_remedy():
    assert local("a/b", "--input", "Copy it.") == pathlib.Path("a/b")
    with pytest.raises(ValueError, match=r"^--input is gs://bucket/a, which cannot be in a bucket"):
        local("gs://bucket/a", "--input", "Copy it.")


def test_a_path_in_a_bucket_stays_one():
    path = as_path("gs://bucket/run")
    assert is_remote(path) and as_path(path) is path and str(path / "a") == "gs://bucket/run/a"
    assert as_path("run") == pathlib.Path("run")
