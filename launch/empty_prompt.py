"""Writes the embedding of the empty prompt, which the latent U-Net attends to.

    python launch/empty_prompt.py --input=stable-diffusion-2-1 --output=empty_prompt.safetensors

`--input` is a folder of diffusers with `text_encoder`, as Stable Diffusion 2.1 comes in. Once
written, the file (of [77, 1024] numbers, 315 kB) is all that `--mode=import` needs:

    python -m symmflow_jax.main --config=configs/coco.py --mode=import \
        --input=stable-diffusion-2-1/unet --prompt_embedding=empty_prompt.safetensors

Needs `pip install torch transformers`, which the project itself does without.
"""

import argparse
import json
import pathlib

import numpy as np
import safetensors.numpy
import torch
from transformers import CLIPTextModel

# The tokenizer of CLIP frames a prompt with these and fills it up to 77. What it fills up with
# differs: the closing token itself in Stable Diffusion 1, "!" in Stable Diffusion 2.
_BEGIN, _END = 49406, 49407
_PADDING = {"<|endoftext|>": _END, "!": 0}
_LENGTH = 77


def empty_prompt(folder: pathlib.Path) -> np.ndarray:
    """The last hidden state for the empty prompt, float32 `[77, width]`."""
    encoder = CLIPTextModel.from_pretrained(folder / "text_encoder").eval()
    tokens = [_BEGIN, _END] + [_padding(folder)] * (_LENGTH - 2)
    with torch.no_grad():
        (states,) = encoder(torch.tensor([tokens])).last_hidden_state
    return states.float().numpy()


def _padding(folder: pathlib.Path) -> int:
    """The token that `tokenizer/special_tokens_map.json` fills prompts up with."""
    settings = json.loads(
        (folder / "tokenizer" / "special_tokens_map.json").read_text(encoding="utf-8")
    )
    token = settings["pad_token"]
    content = token["content"] if isinstance(token, dict) else token
    if content not in _PADDING:
        raise SystemExit(
            f"Error: the tokenizer in {folder} fills up with {content!r}; known are "
            f"{', '.join(map(repr, _PADDING))}."
        )
    return _PADDING[content]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--input", "--output"):
        parser.add_argument(name, type=lambda text: pathlib.Path(text).expanduser(), required=True)
    arguments = parser.parse_args()
    embedding = empty_prompt(arguments.input)
    safetensors.numpy.save_file({"prompt_embedding": embedding}, arguments.output)
