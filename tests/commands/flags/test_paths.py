"""Flags of the files that commands read and write."""

import pathlib

import pytest

from symmflow_jax.commands.flags import paths
from symmflow_jax.runtime.storage.bucket_path import BucketPath


def test_an_output_that_is_not_given_is_the_default(flag_values, called):
    default = pathlib.Path("runs/shapes/segment")
    assert paths.output(default) == default
    flag_values(output="masks")
    assert paths.output(default) == pathlib.Path("masks")
    called("runtime.storage.drivers:check_bucket")  # It would ask the server.
    flag_values(output="gs://bucket/masks")
    assert paths.output(default) == BucketPath("gs://bucket/masks")


def test_an_empty_output_is_no_default(flag_values):
    flag_values(output="")
    with pytest.raises(ValueError, match="--output is empty; give a place, or leave it out for x"):
        paths.output(pathlib.Path("x"))


def test_images_in_a_bucket_are_refused(flag_values):
    assert paths.input_files() == ""
    flag_values(input="gs://bucket/photos")
    with pytest.raises(ValueError, match="Copy the files to a disk, and give their folder there"):
        paths.input_files()
