"""The commands for data sets."""

import pytest

from symmflow_jax.commands import datasets


def test_data_that_training_would_stop_at_is_an_error(called, flag_values, tmp_path):
    called("preparation.check_data:check_data", answer=False)
    with pytest.raises(SystemExit, match="training would stop at the examples marked with '!'"):
        datasets.CHECK_DATA.run("experiment", tmp_path)
    called("preparation.check_data:check_data", answer=True)
    datasets.CHECK_DATA.run("experiment", tmp_path)


@pytest.mark.parametrize(
    ("bucket", "program"), [("gs://bucket/c", "gcloud storage"), ("s3://bucket/c", "aws s3")]
)
def test_a_data_set_is_packed_on_a_disk(bucket, program, called, flag_values, tmp_path):
    pack = called("preparation.pack:pack")
    flag_values(output=bucket)
    with pytest.raises(ValueError, match=f"Pack to a disk.*{program} cp --recursive FOLDER"):
        datasets.PACK.run("experiment", tmp_path)
    assert pack.arguments == ()
    flag_values(output=str(tmp_path / "packed"), examples_per_shard="16")
    datasets.PACK.run("experiment", tmp_path)
    assert pack.arguments == ("experiment", tmp_path / "packed", 16)
