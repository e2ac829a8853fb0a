"""Names of weight files in folders of diffusers and accelerate."""

import pytest

from symmflow_jax.interop.folders.weight_file import has_default_name, is_index, weight_file
from symmflow_jax.interop.torch_files import WeightsFileError

DIFFUSERS = "diffusion_pytorch_model"


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ((f"{DIFFUSERS}.bin", f"{DIFFUSERS}.safetensors"), f"{DIFFUSERS}.safetensors"),
        (
            (f"{DIFFUSERS}.bin.index.json", f"{DIFFUSERS}-00001-of-00002.bin"),
            f"{DIFFUSERS}.bin.index.json",
        ),
        (("pytorch_model.bin.index.json",), "pytorch_model.bin.index.json"),
        (("pytorch_model.bin", "model.safetensors"), "pytorch_model.bin"),
        ((f"{DIFFUSERS}.fp16.safetensors", f"{DIFFUSERS}.bin"), f"{DIFFUSERS}.bin"),
        ((f"{DIFFUSERS}.fp16.safetensors",), f"{DIFFUSERS}.fp16.safetensors"),
        ((f"{DIFFUSERS}.fp16.bin", f"{DIFFUSERS}.fp16.safetensors"), f"{DIFFUSERS}.fp16.saf"),
        # The names of present diffusers, of those before, and of the oldest.
        ((f"{DIFFUSERS}.safetensors.index.fp16.json",), f"{DIFFUSERS}.safetensors.index.fp16.json"),
        ((f"{DIFFUSERS}.safetensors.fp16.index.json",), f"{DIFFUSERS}.safetensors.fp16.index.json"),
        ((f"{DIFFUSERS}.fp16.safetensors.index.json",), f"{DIFFUSERS}.fp16.safetensors.index.json"),
    ],
)
def test_the_weights_of_a_folder_are_found(tmp_path, names, chosen):
    for name in (*names, "config.json", "optimizer.bin", f"{DIFFUSERS}.safetensors.part"):
        (tmp_path / name).touch()
    found = weight_file(tmp_path)
    assert found.name.startswith(chosen)
    assert is_index(found) == ("index" in chosen)
    assert has_default_name(found)


def test_a_variant_that_is_alone_is_named(tmp_path, caplog):
    (tmp_path / f"{DIFFUSERS}.fp16.safetensors").touch()
    with caplog.at_level("INFO", "symmflow_jax"):
        weight_file(tmp_path)
    assert f"took {DIFFUSERS}.fp16.safetensors, since there are no weights but" in caplog.text


def test_the_user_chooses_between_variants(tmp_path):
    for name in ("fp16.safetensors", "fp16.bin", "non_ema.bin"):
        (tmp_path / f"{DIFFUSERS}.{name}").touch()
    with pytest.raises(WeightsFileError) as error:
        weight_file(tmp_path)
    assert str(error.value) == (
        f"{tmp_path} has several variants of its weights: {DIFFUSERS}.fp16.safetensors, "
        f"{DIFFUSERS}.non_ema.bin. Give one of these files."
    )


def test_one_shard_is_no_network(tmp_path):
    path = tmp_path / f"{DIFFUSERS}-00002-of-00003.safetensors"
    with pytest.raises(WeightsFileError, match="is shard 2 of 3; give its folder"):
        weight_file(path)
    single = tmp_path / "model-00001-of-00001.safetensors"
    assert weight_file(single) == single


def test_shards_without_an_index_are_named(tmp_path):
    (tmp_path / f"{DIFFUSERS}-00001-of-00002.bin").touch()
    with pytest.raises(WeightsFileError, match="has shards without their index"):
        weight_file(tmp_path)


def test_other_files_are_left_to_the_readers(tmp_path):
    for name in ("weights.pt", "model.ema.pt", "index.json.pt"):
        assert weight_file(tmp_path / name) == tmp_path / name
        assert not is_index(tmp_path / name)
        assert not has_default_name(tmp_path / name)
