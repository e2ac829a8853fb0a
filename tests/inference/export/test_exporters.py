"""Formats of export."""

import pytest

from symmflow_jax.inference.export.exporters import EXPORTERS, export
from symmflow_jax.runtime.errors import CheckpointError


def test_an_ending_without_a_format_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"--output=.*b\.pt must end in \.safetensors"):
        export(tmp_path, tmp_path / "b.pt")


@pytest.mark.parametrize("ending", EXPORTERS)
def test_every_format_needs_a_run(tmp_path, ending):
    with pytest.raises(CheckpointError, match="holds no checkpoints"):
        export(tmp_path, tmp_path / f"b{ending}")
