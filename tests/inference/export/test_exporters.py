"""Formats of export."""

import pathlib

import pytest

from symmflow_jax.inference.export.exporters import EXPORTERS, export
from symmflow_jax.runtime.errors import CheckpointError
from symmflow_jax.runtime.outputs import OutputError


def test_an_ending_without_a_format_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"--output=.*b\.pt must end in \.safetensors"):
        export(tmp_path, tmp_path / "b.pt")


@pytest.mark.parametrize("ending", EXPORTERS)
def test_what_exists_and_the_weights_of_the_run_are_kept(tmp_path, ending):
    for name in ("mine", "autoencoder", "mask_decoder"):
        (tmp_path / f"{name}{ending}").touch()
    with pytest.raises(OutputError, match=r"mine.* exists already\. Give --overwrite"):
        export(tmp_path, tmp_path / f"mine{ending}")
    with pytest.raises(CheckpointError):
        export(tmp_path, tmp_path / f"mine{ending}", overwrite=True)
    for name in ("autoencoder", "mask_decoder"):
        with pytest.raises(OutputError, match=rf"{name}.* is an input of this command"):
            export(tmp_path, tmp_path / f"{name}{ending}", overwrite=True)
    with pytest.raises(OutputError, match=r"/proc cannot be written: .* Give another --output"):
        export(tmp_path, pathlib.Path(f"/proc/mine{ending}"))


@pytest.mark.parametrize("ending", EXPORTERS)
def test_every_format_needs_a_run(tmp_path, ending):
    with pytest.raises(CheckpointError, match="holds no checkpoints"):
        export(tmp_path, tmp_path / f"b{ending}")
