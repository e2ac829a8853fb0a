"""Places of state dicts in the checkpoints that public trainers write."""

import pathlib

import pytest

from symmflow_jax.interop import places
from symmflow_jax.interop.torch_files import WeightsFileError
from symmflow_jax.interop.unpickler import PassedOver, Storage, Tensor

_STORAGE = Storage("0", "float32", 1)
_MARKERS = {"a net": "stem.weight", "a vae": "encoder.weight"}
_PATH = pathlib.Path("run.pt")


def _tensor() -> Tensor:
    return Tensor(_STORAGE, 0, (1,), (1,))


def _net(prefix: str = "", *more: str) -> dict[str, Tensor]:
    return {name: _tensor() for name in (f"{prefix}stem.weight", f"{prefix}out.weight", *more)}


def _choose(content, kind=None, has_flag=True):
    return places.choose(_PATH, places.find(content, _MARKERS), kind, has_flag)


# What trainers write, with the key of the weights that are meant.
_CHECKPOINTS = {
    "guided-diffusion": (_net(), ""),
    "DDP": (_net("module."), "module"),
    "PyTorch tutorial": ({"model_state_dict": _net(), "optimizer_state_dict": {}}, ""),
    "timm": ({"state_dict": _net(), "state_dict_ema": _net()}, "state_dict_ema"),
    "BasicSR": ({"params": _net(), "params_ema": _net()}, "params_ema"),
    "k-diffusion": ({"model": _net(), "model_ema": _net(), "step": 3}, "model_ema"),
    "DiT": ({"model": _net(), "ema": _net(), "opt": {}, "args": PassedOver("N")}, "ema"),
    "ema_pytorch": (
        _net("online_model.", "initted", "step") | _net("ema_model."),
        "ema_model",
    ),
    "ema_pytorch without the other": (_net("ema_model.", "initted", "step"), "ema_model"),
    "torchcfm": (
        {"net_model": _net(), "ema_model": _net(), "sched": {}, "optim": {}, "step": 3},
        "ema_model",
    ),
    "torchcfm without average": ({"net_model": _net(), "step": 3}, "net_model"),
    "lucidrains": (
        {
            "step": 3,
            "model": _net("model."),
            "ema": _net("online_model.model.", "initted", "step") | _net("ema_model.model."),
        },
        "ema/ema_model.model",
    ),
    "Lightning": ({"state_dict": _net("net."), "callbacks": {}}, "state_dict/net"),
    "Lightning with EMA": ({"state_dict": _net("net.") | _net("net_ema.")}, "state_dict/net_ema"),
    "averaged by torch": ({"net": _net(), "swa": _net("module.", "n_averaged")}, "swa/module"),
    "nested": ({"state_dict": {"model": _net(), "ema": _net()}}, "state_dict/ema"),
    "DeepSpeed": ({"module": _net(), "ds_version": "0.1"}, "module"),
    "pipeline": ({"unet": _net(), "vae": {"encoder.weight": _tensor()}}, "unet"),
}


@pytest.mark.parametrize("name", _CHECKPOINTS)
def test_the_weights_of_public_trainers_are_found(name, caplog):
    content, key = _CHECKPOINTS[name]
    with caplog.at_level("INFO", "symmflow_jax"):
        state_dict = _choose(content, "a net")
    assert list(state_dict) == ["stem.weight", "out.weight"]
    meant = places.within(_PATH, content, key) if key else content
    assert any(state_dict["stem.weight"] is tensor for tensor in _all_tensors(meant))
    found = places.find(content, _MARKERS)
    if any(place.is_averaged for place in found):
        assert f"run.pt: took the averaged weights at {key}" in caplog.text
    assert len(found) == 1 or f"weights at {key}, not those at " in caplog.text


def _all_tensors(content) -> list[Tensor]:
    if isinstance(content, Tensor):
        return [content]
    values = content.values() if isinstance(content, dict) else ()
    return [tensor for value in values for tensor in _all_tensors(value)]


def test_a_choice_between_equals_is_left_to_the_user():
    content = {"ema_0.999": _net(), "ema_0.9999": _net(), "model": _net()}
    with pytest.raises(WeightsFileError) as error:
        _choose(content)
    assert str(error.value) == (
        "run.pt holds a net more than once: at ema_0.999 and at ema_0.9999. Choose one, for "
        "instance --weights_key=ema_0.9999."
    )
    with pytest.raises(WeightsFileError, match="first and at second. Choose one, and save it in"):
        _choose(_net("first.") | _net("second."), has_flag=False)


def test_what_belongs_to_no_network_is_kept_to_be_reported():
    assert "head.bias" in _choose({**_net("module."), "head.bias": _tensor()})
    both = {**_net("module."), "out.weight": _tensor()}
    with pytest.raises(WeightsFileError, match="the same names with 'module.' before them"):
        _choose(both)


def test_a_key_leads_through_dictionaries_and_then_prefixes():
    content = {"a": {"b/c": _net("d.")}, 3: {"x": _net()}}
    for key in ("a/b/c/d", "/a/b/c/d/"):
        assert list(places.within(_PATH, content, key)) == ["stem.weight", "out.weight"]
    assert places.within(_PATH, content, "3/x") is content[3]["x"]
    with pytest.raises(WeightsFileError, match="run.pt has no 'e' at a, but the keys 'b/c'; corr"):
        places.within(_PATH, content, "a/e")
    with pytest.raises(WeightsFileError, match="has no 'z' at its top, but the keys 'a', 3; corr"):
        places.within(_PATH, content, "z")


def test_a_dictionary_in_itself_ends():
    content = {"model": _net()}
    content["self"] = content
    assert [place.key for place in places.find(content, _MARKERS)] == ["model"]


def test_a_file_of_one_state_dict_needs_no_key():
    assert list(places.only_state_dict(_PATH, {"net": _net(), "epoch": 3})) == list(_net())
    top = {**_net(), "inner": _net()}
    assert list(places.only_state_dict(_PATH, top)) == list(_net())
    with pytest.raises(WeightsFileError, match="run.pt holds tensors at a, b; choose one"):
        places.only_state_dict(_PATH, {"a": _net(), "b": _net()})
    module = {"model": PassedOver("nets.UNet"), "epoch": 3}
    with pytest.raises(WeightsFileError, match=r"no tensors, but the keys 'model' \(a nets.UNet\)"):
        places.only_state_dict(_PATH, module)
