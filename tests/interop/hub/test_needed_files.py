import pytest

from symmflow_jax.interop.hub.needed_files import needed

STEM = "diffusion_pytorch_model"
OTHERS = ["README.md", "config.json", "diffusion_flax_model.msgpack", f"{STEM}.non_ema.bin"]
FULL = [f"{STEM}.safetensors"]
SHARDS = [
    f"{STEM}-00001-of-00002.safetensors",
    f"{STEM}-00002-of-00002.safetensors",
    f"{STEM}.safetensors.index.json",
]
HALF_SHARDS = [
    f"{STEM}-00001-of-00002.fp16.bin",
    f"{STEM}.bin.index.fp16.json",
    f"{STEM}.fp16-00002-of-00002.bin",
    f"{STEM}.fp16.bin.index.json",
]


@pytest.mark.parametrize(
    ("best", "rest"),
    [
        (FULL, [f"{STEM}.bin", f"{STEM}.fp16.safetensors", f"{STEM}.fp16.bin"]),
        ([f"{STEM}.bin"], [f"{STEM}.fp16.safetensors"]),
        (SHARDS, [f"{STEM}.bin", *HALF_SHARDS]),
        ([f"{STEM}.fp16.safetensors"], HALF_SHARDS),
        (HALF_SHARDS, []),
    ],
)
def test_one_set_of_weights_and_the_settings_are_needed(best, rest):
    assert needed(sorted([*best, *rest, *OTHERS])) == [*sorted(best), "config.json"]


def test_nothing_is_needed_of_a_folder_without_weights():
    assert needed(OTHERS) == []
