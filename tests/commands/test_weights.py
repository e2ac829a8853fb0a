"""The commands that take weights in and out."""

import pytest

from symmflow_jax.commands import weights


def test_an_import_needs_weights(flag_values, tmp_path):
    with pytest.raises(SystemExit, match="--mode=import needs --input, a file, folder or hf:"):
        weights.IMPORT.run("experiment", tmp_path)


def test_an_import_gets_what_the_file_does_not_tell(called, flag_values, tmp_path, monkeypatch):
    monkeypatch.setenv("WEIGHTS", "/weights")
    imported = called("preparation.import_weights:import_weights")
    flag_values(input="$WEIGHTS/a.pt", weights_key="ema", use_new_attention_order="true")
    weights.IMPORT.run("experiment", tmp_path)
    assert imported.arguments == ("experiment", "/weights/a.pt", tmp_path, None, "ema")
    assert imported.named == {"new_attention_order": True, "num_checked": None}


def test_a_flag_of_another_format_is_refused(flag_values, tiny_experiment, tmp_path):
    flag_values(format="onnx", weights_prefix="unet")
    with pytest.raises(ValueError, match="--weights_prefix is not used by --format=onnx"):
        weights.EXPORT.run(tiny_experiment(), tmp_path)


@pytest.mark.parametrize(
    ("name", "output"), [("safetensors", "weights.safetensors"), ("onnx", "onnx")]
)
def test_an_export_goes_into_the_folder_of_the_run(
    name, output, called, flag_values, tiny_experiment, tmp_path
):
    exported = called("inference.export.exporters:export")
    flag_values(format=name)
    weights.EXPORT.run(tiny_experiment(), tmp_path)
    assert exported.arguments[:2] == (tmp_path, tmp_path / output)
    assert exported.named == {"format_name": name, "overwrite": False}
