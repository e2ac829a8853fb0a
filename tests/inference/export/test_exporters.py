"""Formats of export."""

import pathlib

import pytest

from symmflow_jax import main
from symmflow_jax.inference.export.exporters import EXPORTERS, export
from symmflow_jax.runtime.errors import CheckpointError
from symmflow_jax.runtime.outputs import OutputError


def test_an_ending_without_a_format_is_named(tmp_path):
    message = r"--output=.*b\.pt must end in \.safetensors, or give --format=stablehlo or onnx"
    with pytest.raises(ValueError, match=message):
        export(tmp_path, tmp_path / "b.pt")
    with pytest.raises(ValueError, match="--format is 'tflite'; choose one of safetensors"):
        export(tmp_path, tmp_path / "b", format_name="tflite")


def test_the_flags_are_those_of_the_formats():
    assert main.flags.FLAGS["format"].parser.enum_values == list(EXPORTERS)
    own = {flag for exporter in EXPORTERS.values() for flag in exporter.flags}
    assert own == set(main.MODES["export"].flags) - {"format", "output", "overwrite"}


_ENDINGS = [exporter.ending for exporter in EXPORTERS.values() if exporter.ending]


@pytest.mark.parametrize("ending", _ENDINGS)
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


@pytest.mark.parametrize("name", EXPORTERS)
def test_every_format_needs_a_run(tmp_path, name):
    path = tmp_path / f"b{EXPORTERS[name].ending}"
    with pytest.raises(CheckpointError, match="holds no checkpoints"):
        export(tmp_path, path, format_name=name)
    assert not path.exists()


@pytest.mark.parametrize("name", [n for n, exporter in EXPORTERS.items() if not exporter.ending])
def test_a_folder_with_another_export_is_kept(tmp_path, name):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "export.json").write_text("{}")
    with pytest.raises(OutputError, match="holds another export"):
        export(tmp_path, tmp_path / "out", format_name=name)
