"""The file of weights in a folder: whole or in shards, in full precision or as a variant."""

import logging
import pathlib
import re

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
    found = {entry: match for entry in sorted(path.iterdir()) if (match := _matched(entry))}
    if not found:
        raise _nothing_in(path)
    whole = [entry for entry, match in found.items() if not _variant(match)]
    variants = sorted({_variant(match) for match in found.values()} - {""})
    if not whole and len(variants) > 1:
        best = (min((e for e, m in found.items() if _variant(m) == v), key=_rank) for v in variants)
        raise WeightsFileError(
            f"{path} has several variants of its weights: "
            f"{', '.join(shown(entry.name) for entry in best)}. Give one of these files."
        )
    chosen = min(whole or found, key=_rank)
    if not whole:
        _logger.info(
            "%s: took %s, since there are no weights but those of the variant %s.",
            path,
            chosen.name,
            variants[0],
        )
    return chosen


def is_index(path: pathlib.Path) -> bool:
    """True for the name of an index of shards."""
    return re.search(r"\.index(\.\w+)?\.json$", path.name) is not None


def has_default_name(path: pathlib.Path) -> bool:
    """True for a name that libraries give to the weights, whose `config.json` lies beside them."""
    return _NAME.fullmatch(path.name) is not None


def _matched(entry: pathlib.Path) -> re.Match | None:
    return _NAME.fullmatch(entry.name) if entry.is_file() else None


def _variant(match: re.Match) -> str:
    return next(filter(None, match.group("first", "second", "third")), "")


def _rank(entry: pathlib.Path) -> tuple[int, int, str]:
    """Libraries in their order; safetensors before pickles, and an index before a single file."""
    match = _NAME.fullmatch(entry.name)
    assert match
    kind = 2 * (match["kind"] == "bin") + (not is_index(entry))
    return _STEMS.index(match["stem"]), kind, entry.name


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
            f"{folder} has shards without their index, such as {_STEMS[0]}.safetensors.index.json; "
            "fetch it too."
        )
    names = [f"{_STEMS[0]}{ending}" for ending in (".safetensors", ".bin")]
    parts = [part for part in ("unet", "vae") if (folder / part).is_dir()]
    advice = f" Give one of its folders: {', '.join(parts)}." if parts else ""
    return WeightsFileError(
        f"{folder} has none of {', '.join(names)}, their variants or an index of shards.{advice}"
    )


SHARD = re.compile(r"-(?P<number>\d+)-of-(?P<count>\d+)(?=\.)")
"""The part of a file's name that numbers shards, as in `model-00001-of-00002.safetensors`."""

_STEMS = ("diffusion_pytorch_model", "pytorch_model", "model")
# Versions of diffusers put the variant of an index at three places.
_NAME = re.compile(
    rf"(?P<stem>{'|'.join(_STEMS)})(\.(?P<first>\w+))??\.(?P<kind>safetensors|bin)"
    r"((\.(?P<second>\w+))??\.index(\.(?P<third>\w+))?\.json)?"
)
