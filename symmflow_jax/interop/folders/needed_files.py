"""The files of a folder that an import reads: one set of weights, and the network's settings."""

import dataclasses
import re
from collections.abc import Collection

STEM = "diffusion_pytorch_model"
"""What the names of weights in a folder of diffusers begin with."""

SETTINGS = "config.json"
"""File of the network's settings beside its weights."""


@dataclasses.dataclass(frozen=True, order=True)
class WeightSet:
    """Files that hold the same weights once; the smallest one is the best.

    Attributes:
        variant: such as "fp16"; empty for full precision.
        stem: place of the name among those that libraries give.
        ending: 0 for safetensors, 1 for pickles.
        is_single: False for shards and their index.
    """

    variant: str
    stem: int
    ending: int
    is_single: bool


def needed(names: Collection[str]) -> list[str]:
    """The files of a folder to read, which may hold the same weights several times.

    Weights in full precision come first, or else those of the only variant; then the name that
    diffusers gives, safetensors, and shards.

    Args:
        names: the names of the files in the folder, without folders.

    Returns:
        the needed names; empty if there are no weights, or several variants alone. Shards without
            their index are no weights.
    """
    sets = {name: found for name in sorted(names) if (found := set_of(name))}
    # Shards are read by their index alone.
    readable = {found for name, found in sets.items() if found.is_single or name.endswith(".json")}
    sets = {name: found for name, found in sets.items() if found in readable}
    variants = {found.variant for found in sets.values()}
    if not sets or ("" not in variants and len(variants) > 1):
        return []
    best = min(sets.values())
    return [name for name, found in sets.items() if found == best] + _settings(names)


def needed_with(name: str, names: Collection[str]) -> list[str]:
    """The files to read with a file of weights: itself, the shards of an index, and the settings.

    Args:
        name: the file.
        names: all files in its folder.
    """
    found = set_of(name)
    if found is None:
        return [name]
    is_index = name.endswith(".json")
    shards = [other for other in sorted(names) if is_index and set_of(other) == found]
    return list(dict.fromkeys([name, *shards])) + _settings(names)


def set_of(name: str) -> WeightSet | None:
    """The set that a file belongs to; None if it is no file of weights."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    variant = next(filter(None, match.group("first", "second", "third", "fourth")), "")
    is_single = not match["shard"] and not match["index"]
    return WeightSet(variant, _STEMS.index(match["stem"]), int(match["ending"] == "bin"), is_single)


def _settings(names: Collection[str]) -> list[str]:
    return [SETTINGS] if SETTINGS in names else []


_STEMS = (STEM, "pytorch_model", "model")
# Programs put the variant before the number of a shard, after it, or into the name of the index.
_NAME = re.compile(
    rf"(?P<stem>{'|'.join(_STEMS)})(?:\.(?P<first>\w+))??(?P<shard>-\d+-of-\d+"
    r"(?:\.(?P<second>\w+))??)?\.(?P<ending>safetensors|bin)"
    r"(?P<index>(?:\.(?P<third>\w+))??\.index(?:\.(?P<fourth>\w+))?\.json)?"
)
