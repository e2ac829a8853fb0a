import pytest

from symmflow_jax.interop.folders.needed_files import needed, needed_with

STEM = "diffusion_pytorch_model"
OTHERS = ["README.md", "config.json", "diffusion_flax_model.msgpack", "unet/x.safetensors"]
SHARDS = [
    f"{STEM}-00001-of-00002.safetensors",
    f"{STEM}-00002-of-00002.safetensors",
    f"{STEM}.safetensors.index.json",
]
HALF_SHARDS = [
    f"{STEM}-00001-of-00002.fp16.bin",
    f"{STEM}.bin.fp16.index.json",
    f"{STEM}.bin.index.fp16.json",
    f"{STEM}.fp16-00002-of-00002.bin",
    f"{STEM}.fp16.bin.index.json",
]


@pytest.mark.parametrize(
    ("best", "rest"),
    [
        ([f"{STEM}.safetensors"], [f"{STEM}.bin", f"{STEM}.fp16.safetensors", f"{STEM}.ema.bin"]),
        ([f"{STEM}.bin"], [f"{STEM}.fp16.safetensors", "model.safetensors"]),
        (SHARDS, [f"{STEM}.safetensors", f"{STEM}.bin", *HALF_SHARDS]),
        (["model.safetensors"], ["model.fp16.safetensors"]),
        ([f"{STEM}.fp16.safetensors"], HALF_SHARDS),
        (HALF_SHARDS, []),
        ([f"{STEM}.bin"], SHARDS[:2]),  # Without their index.
    ],
)
def test_one_set_of_weights_and_the_settings_are_needed(best, rest):
    assert needed(sorted([*best, *rest, *OTHERS])) == [*sorted(best), "config.json"]


def test_without_weights_or_with_several_variants_alone_nothing_is_chosen():
    assert needed(OTHERS) == needed(SHARDS[:2]) == []
    assert needed([f"{STEM}.fp16.bin", f"{STEM}.non_ema.bin"]) == []


def test_a_file_of_weights_is_read_with_its_settings_and_shards():
    names = [*SHARDS, *HALF_SHARDS, f"{STEM}.safetensors", *OTHERS]
    assert needed_with(f"{STEM}.safetensors", names) == [f"{STEM}.safetensors", "config.json"]
    index, *shards = sorted(SHARDS, reverse=True)
    assert needed_with(index, names) == [index, *sorted(shards), "config.json"]
    # Other names have no settings of their own beside them.
    assert needed_with("LatFM.pt", [*names, "LatFM.pt"]) == ["LatFM.pt"]
