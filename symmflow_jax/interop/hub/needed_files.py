"""The files of a folder of diffusers that an import reads."""

import re
from collections.abc import Iterable

STEM = "diffusion_pytorch_model"
"""What the names of weights in a folder of diffusers begin with."""

SETTINGS = "config.json"
"""File of the network's settings beside its weights."""


def needed(names: Iterable[str]) -> list[str]:
    """The files of one set of weights, and of the settings beside them, in order.

    A folder may hold the same weights several times. Those in full precision come before "fp16",
    and `.safetensors` before `.bin`. Shards and their index belong together.

    Args:
        names: the names of the files in the folder, without folders.

    Returns:
        the needed names; empty if there are no weights.
    """
    names = sorted(names)
    sets: dict[tuple[bool, bool], list[str]] = {}
    for name in names:
        match = _WEIGHTS.fullmatch(name)
        if match:
            sets.setdefault((".fp16" in name, match["ending"] == "bin"), []).append(name)
    if not sets:
        return []
    return sets[min(sets)] + [name for name in names if name == SETTINGS]


# Programs put "fp16" before the number of a shard, after it, or into the name of the index.
_WEIGHTS = re.compile(
    rf"{STEM}(\.fp16)?(-\d+-of-\d+)?(\.fp16)?\.(?P<ending>safetensors|bin)"
    r"(\.index(\.fp16)?\.json)?"
)
