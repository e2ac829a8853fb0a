"""Flags of the files that commands read and write."""

import pathlib

from absl import flags

from symmflow_jax.config.command_line import path_flag
from symmflow_jax.runtime.storage import place

WORKDIR = flags.DEFINE_string(
    "workdir",
    None,
    "Folder of the run, also in a bucket (gs://BUCKET/FOLDER, s3://BUCKET/FOLDER); runs/<config "
    "name> by default.",
)
INPUT = flags.DEFINE_string(
    "input",
    "",
    "Image or mask file, a folder of them (without its sub-folders), or (generate) labels: 3,7 or "
    "cat,dog; (import) PyTorch weights: a .pt, .pth, .bin or .safetensors file, a folder of "
    "diffusers, whole or in shards, or hf:OWNER/NAME/FILE@REVISION on the Hugging Face hub.",
)
OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "File or folder to write, also in a bucket; <workdir>/<mode> by default, (export) "
    "<workdir>/weights.safetensors or <workdir>/<format>, (evaluate) the workdir.",
)
OVERWRITE = flags.DEFINE_bool(
    "overwrite",
    False,
    "Replace files that exist; without it they are kept. Inputs are always kept.",
)


def input_files() -> str:
    """The value of `--input`; raises ValueError for images in a bucket."""
    text = path_flag(INPUT) or ""
    place.local(text, "--input", "Copy the files to a disk, and give their folder there.")
    return text


def output(default: pathlib.Path) -> pathlib.Path:
    """The value of `--output`, or a default; raises ValueError for an empty one."""
    if OUTPUT.present and not OUTPUT.value:
        raise ValueError(f"--output is empty; give a place, or leave it out for {default}.")
    return place.place(path_flag(OUTPUT) or str(default), "--output")
