import json
import pathlib

import numpy as np
import pytest
import safetensors.numpy

from symmflow_jax.interop.files import (
    AUTOENCODER,
    DECODER,
    LATENT_UNET,
    PIXEL_UNET,
    read_state_dict,
    read_weights,
)
from symmflow_jax.interop.torch_files import WeightsFileError

FILES = pathlib.Path(__file__).parents[1] / "fixtures" / "weight_files"
MARKER = "time_embedding.linear_1.weight"


def _save(path: pathlib.Path, *names: str) -> pathlib.Path:
    arrays = {name: np.full((1, 2), index, np.float32) for index, name in enumerate(names)}
    safetensors.numpy.save_file(arrays, path)
    return path


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("time_embed.0.weight", PIXEL_UNET),
        (MARKER, LATENT_UNET),
        ("encoder.conv_norm_out.weight", AUTOENCODER),
    ],
)
@pytest.mark.parametrize("prefix", ["", "model.", "module.unet.", "ema_model."])
def test_networks_are_recognised_whatever_modules_are_around_them(tmp_path, name, kind, prefix):
    path = _save(tmp_path / "weights.safetensors", f"{prefix}{name}", f"{prefix}conv_in.weight")
    weights = read_weights(path)
    assert weights.kind == kind
    assert list(weights.state_dict) == sorted([name, "conv_in.weight"])
    assert weights.settings == {}


def test_what_is_outside_of_the_network_keeps_its_name(tmp_path):
    path = _save(tmp_path / "weights.safetensors", f"unet.{MARKER}", "vae.conv")
    assert set(read_weights(path).state_dict) == {MARKER, "vae.conv"}


def test_averaged_weights_of_a_training_checkpoint_come_first():
    weights = read_weights(FILES / "training.pt")
    assert weights.kind == LATENT_UNET
    np.testing.assert_array_equal(weights.state_dict[MARKER], np.ones((2, 3)))


def test_state_dict_is_found_beside_other_tensors():
    weights = read_weights(FILES / "state_dict.pt")
    assert list(weights.state_dict) == [MARKER]


def test_folder_of_diffusers(tmp_path):
    _save(tmp_path / "diffusion_pytorch_model.safetensors", MARKER)
    (tmp_path / "config.json").write_text('{"norm_num_groups": 8}')
    for path in (tmp_path, tmp_path / "diffusion_pytorch_model.safetensors"):
        weights = read_weights(path)
        assert weights.kind == LATENT_UNET
        assert weights.settings == {"norm_num_groups": 8}


def _shards(folder: pathlib.Path) -> dict[str, str]:
    places = {MARKER: "first.safetensors", "conv_in.weight": "second.safetensors"}
    for name, file in places.items():
        _save(folder / file, name)
    index = folder / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return places


def test_shards_are_put_together(tmp_path):
    places = _shards(tmp_path)
    assert set(read_weights(tmp_path).state_dict) == set(places)


def test_missing_shard_is_named(tmp_path):
    _shards(tmp_path)
    (tmp_path / "second.safetensors").unlink()
    with pytest.raises(WeightsFileError, match=r"second\.safetensors"):
        read_weights(tmp_path)


def test_the_variant_of_a_folder_is_read(tmp_path):
    path = tmp_path / "diffusion_pytorch_model.fp16.safetensors"
    safetensors.numpy.save_file({MARKER: np.ones((1, 2), np.float16)}, path)
    (tmp_path / "config.json").write_text('{"norm_num_groups": 8}')
    weights = read_weights(tmp_path)
    assert weights.state_dict[MARKER].dtype == np.float16
    assert weights.settings == {"norm_num_groups": 8}
    assert set(read_state_dict(tmp_path)) == {MARKER}


def test_shards_of_pickles_are_put_together(torch_pickles, tmp_path):
    homes = {}
    for number, name in enumerate((MARKER, "conv_in.weight"), 1):
        file = f"pytorch_model-0000{number}-of-00002.bin"
        torch_pickles.save(tmp_path / file, {f"unet.{name}": np.ones(2, np.float32)})
        homes[f"unet.{name}"] = file
    index = tmp_path / "pytorch_model.bin.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": homes}))
    for path in (tmp_path, index):
        assert set(read_weights(path).state_dict) == {MARKER, "conv_in.weight"}
        assert set(read_state_dict(path)) == set(homes)


def test_half_an_autoencoder_is_told_from_a_whole_one(tmp_path):
    half = "mid_block.attentions.0.group_norm.weight"
    path = _save(tmp_path / "decoder.safetensors", half, "conv_in.weight")
    assert read_weights(path, AUTOENCODER).kind == DECODER
    whole = (
        "encoder.conv_norm_out.weight",
        f"encoder.{half}",
        f"decoder.{half}",
        "quant_conv.bias",
    )
    path = _save(tmp_path / "whole.safetensors", *(f"vae.{name}" for name in whole))
    weights = read_weights(path, AUTOENCODER)
    assert weights.kind == AUTOENCODER
    assert set(weights.state_dict) == set(whole)


def test_damaged_settings_are_named(tmp_path):
    _save(tmp_path / "diffusion_pytorch_model.safetensors", MARKER)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(WeightsFileError, match=r"config\.json is damaged"):
        read_weights(tmp_path)


def test_folder_of_a_pipeline_names_its_parts(tmp_path):
    (tmp_path / "unet").mkdir()
    (tmp_path / "vae").mkdir()
    with pytest.raises(WeightsFileError, match="Give one of its folders: unet, vae"):
        read_weights(tmp_path)


def test_other_networks_are_refused(tmp_path):
    path = _save(tmp_path / "weights.safetensors", "layer1.0.conv1.weight")
    with pytest.raises(WeightsFileError, match="none of the networks known here"):
        read_weights(path)


def test_two_networks_in_one_file_are_chosen_between(tmp_path):
    path = _save(tmp_path / "weights.safetensors", f"model.{MARKER}", f"ema.{MARKER}")
    np.testing.assert_array_equal(read_weights(path).state_dict[MARKER], np.ones((1, 2)))
    chosen = read_weights(path, key="model").state_dict
    np.testing.assert_array_equal(chosen[MARKER], np.zeros((1, 2)))
    path = _save(tmp_path / "weights.safetensors", f"first.{MARKER}", f"second.{MARKER}")
    with pytest.raises(WeightsFileError, match="more than once: at first and at second. .*its own"):
        read_weights(path)
    with pytest.raises(WeightsFileError, match="for instance --weights_key=second."):
        read_weights(path, key="")


def test_the_wanted_kind_is_taken_from_a_file_of_several(tmp_path):
    vae = "encoder.conv_norm_out.weight"
    path = _save(tmp_path / "all.safetensors", f"unet.{MARKER}", f"vae.{vae}", f"old.{vae}")
    assert read_weights(path, LATENT_UNET).kind == LATENT_UNET
    with pytest.raises(WeightsFileError, match="an autoencoder more than once"):
        read_weights(path, AUTOENCODER)


def test_where_tensors_are_is_told_if_no_network_is_known(torch_pickles, tmp_path):
    tensors = {"layer.weight": np.zeros(2, np.float32)}
    path = torch_pickles.save(tmp_path / "run.pt", {"net": tensors, "ema": dict(tensors)})
    with pytest.raises(WeightsFileError, match="none of the networks .* tensors are at net, ema."):
        read_weights(path)
    with pytest.raises(WeightsFileError, match="run.pt holds tensors at net, ema; choose one"):
        read_state_dict(path)
    assert list(read_state_dict(path, "ema")) == ["layer.weight"]


def test_truncated_file_is_named(tmp_path):
    whole = (FILES / "training.pt").read_bytes()
    path = tmp_path / "cut.pt"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsFileError, match=r"cut\.pt"):
        read_weights(path)


def _net(offset: float = 0.0, prefix: str = "", dtype=np.float32) -> dict[str, np.ndarray]:
    names = ("time_embed.0.weight", "middle_block.1.qkv.weight", "out.2.bias")
    return {
        f"{prefix}{name}": (np.arange(6).reshape(2, 3) + index + offset).astype(dtype)
        for index, name in enumerate(names)
    }


def _in_shards(folder: pathlib.Path, ending: str, save, infix: str = "", dtype=np.float32) -> None:
    homes = {}
    for number, (name, array) in enumerate(_net(dtype=dtype).items(), 1):
        file = f"diffusion_pytorch_model{infix}-0000{number}-of-00003.{ending}"
        save(folder / file, {name: array})
        homes[name] = file
    index = folder / f"diffusion_pytorch_model{infix}.{ending}.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": homes}))


_COUNTS = {"initted": np.float32(1).reshape(()), "step": np.int64(7).reshape(())}
_CHECKPOINTS = {
    "a state dict": _net(),
    "ema_pytorch": _net(9, "online_model.") | _net(0, "ema_model.") | _COUNTS,
    "lucidrains": {"model": _net(9), "ema": _net(9, "online_model.") | _net(0, "ema_model.")},
    "torchcfm": {"net_model": _net(9), "ema_model": _net(), "step": 7},
    "torchcfm without average": {"net_model": _net(), "step": 7},
    "BasicSR": {"params": _net(9), "params_ema": _net()},
    "timm": {"state_dict": _net(9), "state_dict_ema": _net(), "epoch": 1},
}


@pytest.mark.parametrize("form", [*_CHECKPOINTS, "bin", "safetensors", "fp16", "fp16 shards"])
def test_every_form_gives_the_same_weights(torch_pickles, tmp_path, form):
    path = tmp_path

    def save_safetensors(path, arrays):
        safetensors.numpy.save_file(arrays, path)

    if form in _CHECKPOINTS:
        path = torch_pickles.save(tmp_path / "checkpoint.pt", _CHECKPOINTS[form])
    elif form == "fp16":
        arrays = _net(dtype=np.float16)
        save_safetensors(tmp_path / "diffusion_pytorch_model.fp16.safetensors", arrays)
    elif form == "fp16 shards":
        _in_shards(tmp_path, "safetensors", save_safetensors, ".fp16", np.float16)
    else:
        save = {"bin": torch_pickles.save, "safetensors": save_safetensors}[form]
        _in_shards(tmp_path, form, save)
    weights = read_weights(path, PIXEL_UNET, "")
    assert weights.kind == PIXEL_UNET
    assert set(weights.state_dict) == set(_net())
    for name, array in _net().items():
        np.testing.assert_array_equal(weights.state_dict[name], array, err_msg=name)


def test_the_rest_is_chosen_by_a_key_that_the_error_names(torch_pickles, tmp_path):
    path = torch_pickles.save(tmp_path / "two.pt", {"first": _net(9), "second": _net()})
    with pytest.raises(WeightsFileError, match="more than once.*instance --weights_key=second"):
        read_weights(path, PIXEL_UNET, "")
    found = read_weights(path, PIXEL_UNET, "second").state_dict["out.2.bias"]
    np.testing.assert_array_equal(found, _net()["out.2.bias"])
