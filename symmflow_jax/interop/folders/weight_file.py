"""The file of weights in a folder: whole or in shards, in full precision or as a variant."""

import logging
import pathlib
import re

from symmflow_jax.interop.folders.needed_files import STEM, WeightSet, set_of
from symmflow_jax.interop.torch_files import WeightsFileError
from symmflow_jax.runtime.errors import shown

_logger = logging.getLogger(__name__)


def weight_file(path: pathlib.Path) -> pathlib.Path:
    """The file of weights of a path: the path itself, or in a folder its weights or their index.

    In a folder, weights without a variant come first. Otherwise the only variant, such as fp16, is
    taken and named in a message.

    Args:
        path: a file, which need not exist, or a folder of diffusers or accelerate.

    Raises:
        WeightsFileError: if the folder has no weights, or several variants alone; or if the path
            is one of several shards.
    """
    if not path.is_dir():
        _refuse_shard(path)
        return path
    files = [entry for entry in sorted(path.iterdir()) if entry.is_file()]
    found = {entry: one for entry in files if (one := _readable_set(entry.name))}
    if not found:
        raise _nothing_in(path)
    ranked = sorted(found, key=lambda entry: (found[entry], entry.name))
    chosen, variants = ranked[0], sorted({one.variant for one in found.values()})
    if "" not in variants and len(variants) > 1:
        best = (next(e for e in ranked if found[e].variant == variant) for variant in variants)
        raise WeightsFileError(
            f"{path} has several variants of its weights: "
            f"{', '.join(shown(entry.name) for entry in best)}. Give one of these files."
        )
    if found[chosen].variant:
        _logger.info(
            "%s: took %s, since there are no weights but those of the variant %s.",
            path,
            chosen.name,
            found[chosen].variant,
        )
    return chosen


def is_index(path: pathlib.Path) -> bool:
    """True for the name of an index of shards."""
    return re.search(r"\.index(\.\w+)?\.json$", path.name) is not None


def has_default_name(path: pathlib.Path) -> bool:
    """True for a name that libraries give to the weights, whose `config.json` lies beside them."""
    return _readable_set(path.name) is not None


def _readable_set(name: str) -> WeightSet | None:
    """The set that a file stands for; None for a shard, which is read by its index."""
    return None if SHARD.search(name) else set_of(name)


def _refuse_shard(path: pathlib.Path) -> None:
    shard = SHARD.search(path.name)
    if shard and int(shard["count"]) > 1:
        raise WeightsFileError(
            f"{path} is shard {int(shard['number'])} of {int(shard['count'])}; give its folder, "
            "which has the index of all shards."
        )


def _nothing_in(folder: pathlib.Path) -> WeightsFileError:
    if any(SHARD.search(entry.name) for entry in folder.iterdir()):
        return WeightsFileError(
            f"{folder} has shards without their index, such as {STEM}.safetensors.index.json; "
            "fetch it too."
        )
    names = [f"{STEM}{ending}" for ending in (".safetensors", ".bin")]
    parts = [part for part in ("unet", "vae") if (folder / part).is_dir()]
    advice = f" Give one of its folders: {', '.join(parts)}." if parts else ""
    return WeightsFileError(
        f"{folder} has none of {', '.join(names)}, their variants or an index of shards.{advice}"
    )


SHARD = re.compile(r"-(?P<number>\d+)-of-(?P<count>\d+)(?=\.)")
"""The part of a file's name that numbers shards, as in `model-00001-of-00002.safetensors`."""
