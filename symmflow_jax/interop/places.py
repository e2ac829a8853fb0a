"""Where state dicts lie in the checkpoints of PyTorch programs.

Trainers write them under keys ("model", "ema/online") and with prefixes of outer modules
("module.", "ema_model."). A place is written as one key, `state_dict/ema_model`: names of
dictionaries, then perhaps a prefix.
"""

import dataclasses
import logging
import pathlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from symmflow_jax.interop.torch_files import (
    SAVE_STATE_DICT,
    WeightsFileError,
    described,
    entries_of,
    tensors_of,
)

_logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Place:
    """A place that holds the weights of a network.

    Attributes:
        keys: the keys of the dictionaries that lead to it.
        prefix: what the names there begin with; empty, or with a dot at its end.
        kind: the kind of the network.
        tensors: all tensors at these keys, by their names there.
    """

    keys: tuple[str, ...]
    prefix: str
    kind: str
    tensors: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The place as one key; empty for the top."""
        return "/".join((*self.keys, *([self.prefix[:-1]] if self.prefix else [])))

    @property
    def is_averaged(self) -> bool:
        """True if its name says that the weights are averaged over the training."""
        words = re.findall(r"[a-z]+", self.key.lower())
        return any(word in _AVERAGED for word in words) and "online" not in words


def find(content: Any, markers: Mapping[str, str], keys: tuple[str, ...] = ()) -> list[Place]:
    """All places that hold weights of a known network, outer ones first.

    Args:
        content: contents of a file, or of a part of it.
        markers: by kind of network, a name that occurs in each of its state dicts.
        keys: keys that led to the part.
    """
    return [
        Place((*keys, *inner), name.removesuffix(marker), kind, tensors)
        for inner, tensors in _dictionaries(content)
        for kind, marker in markers.items()
        for name in tensors
        if name == marker or name.endswith(f".{marker}")
    ]


def choose(
    path: pathlib.Path, places: list[Place], kind: str | None, has_flag: bool
) -> dict[str, Any]:
    """The weights at the place that is meant, without its prefix.

    Averaged weights come first. Arrays that belong to no network keep their names and are reported
    as surplus later, except for counters, as averages have them.

    Args:
        path: the file, for messages.
        places: from `find`, not empty.
        kind: the kind of network that is wanted; None for any.
        has_flag: whether the command has the flag `--weights_key`.

    Raises:
        WeightsFileError: if there are several places and none is preferred.
    """
    fitting = [place for place in places if place.kind == kind] or places
    preferred = [place for place in fitting if place.is_averaged] or fitting
    same = [place for place in preferred if place.kind == preferred[0].kind]
    if len(same) > 1:
        raise _ambiguous(path, same, has_flag)
    chosen, others = same[0], [place for place in places if place is not same[0]]
    if chosen.keys or others or chosen.is_averaged:
        more = ", ".join(_name(place) for place in others)
        _logger.info(
            "%s: took the %sweights at %s%s.",
            path,
            "averaged " if chosen.is_averaged else "",
            _name(chosen),
            f", not those at {more}" if more else "",
        )
    prefixes = {place.prefix for place in places if place.keys == chosen.keys}

    def is_of_chosen(name: str) -> bool:
        owners = [prefix for prefix in prefixes if name.startswith(prefix)]
        return max(owners, key=len) == chosen.prefix if owners else name not in _COUNTERS

    kept = [name for name in chosen.tensors if is_of_chosen(name)]
    state_dict = {name.removeprefix(chosen.prefix): chosen.tensors[name] for name in kept}
    if len(state_dict) < len(kept):
        raise WeightsFileError(
            f"{path} has the same names with {chosen.prefix!r} before them and without; save the "
            f"state dict of one network. {SAVE_STATE_DICT}"
        )
    return state_dict


def _name(place: Place) -> str:
    return place.key or "its top"


def _ambiguous(path: pathlib.Path, places: list[Place], has_flag: bool) -> WeightsFileError:
    names = [_name(place) for place in places]
    example = next(place.key for place in reversed(places) if place.key)
    remedy = (
        f"Choose one, for instance --weights_key={example}."
        if has_flag
        else f"Choose one, and save it in a file of its own. {SAVE_STATE_DICT}"
    )
    return WeightsFileError(
        f"{path} holds {places[0].kind} more than once: at {' and at '.join(names)}. {remedy}"
    )


def within(path: pathlib.Path, content: Any, key: str) -> Any:
    """The contents at a key: a dictionary, or the tensors whose names begin with the key's rest.

    Raises:
        WeightsFileError: if there is nothing at the key.
    """
    place, parts = "its top", key.strip("/").split("/")
    while parts:
        entries = {str(name): value for name, value in entries_of(content).items()}
        # A key of the file may have slashes itself.
        ends = [end for end in range(len(parts), 0, -1) if "/".join(parts[:end]) in entries]
        if not ends:
            return _with_prefix(path, content, parts, place)
        place = "/".join(parts[: ends[0]])
        content, parts = entries[place], parts[ends[0] :]
    return content


def _with_prefix(path: pathlib.Path, content: Any, parts: list[str], place: str) -> dict[str, Any]:
    prefix = ".".join(parts) + "."
    tensors = {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors_of(content).items()
        if name.startswith(prefix)
    }
    if not tensors:
        raise WeightsFileError(
            f"{path} has no {'/'.join(parts)!r} at {place}, but {described(content)}; correct "
            "--weights_key."
        )
    return tensors


def only_state_dict(path: pathlib.Path, content: Any) -> dict[str, Any]:
    """The tensors at the top, or else those of the only dictionary that has some.

    Raises:
        WeightsFileError: if there are none or several.
    """
    found = dict(_dictionaries(content))
    if () in found:
        return found[()]
    if not found:
        raise nothing_in(path, content)
    if len(found) > 1:
        raise WeightsFileError(
            f"{path} holds tensors at {_listed(found)}; choose one and save it in a file of its "
            f"own. {SAVE_STATE_DICT}"
        )
    ((keys, tensors),) = found.items()
    _logger.info("Weights are those at %s of %s.", "/".join(keys), path)
    return tensors


def nothing_in(path: pathlib.Path, content: Any) -> WeightsFileError:
    """The error for contents without tensors."""
    return WeightsFileError(f"{path} holds no tensors, but {described(content)}. {SAVE_STATE_DICT}")


def where_tensors_are(content: Any) -> str:
    """The keys that hold tensors, for messages; empty if there are none."""
    return _listed(keys for keys, _ in _dictionaries(content))


def _listed(places: Iterable[tuple[str, ...]]) -> str:
    names = ["/".join(keys) or "its top" for keys in places]
    more = f" and {len(names) - _NUM_SHOWN} more" if len(names) > _NUM_SHOWN else ""
    return ", ".join(names[:_NUM_SHOWN]) + more


def _dictionaries(content: Any) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Keys and tensors of every dictionary with tensors, outer ones first.

    A file may hold a dictionary in itself, so each is visited once.
    """
    level: list[tuple[tuple[str, ...], Any]] = [((), content)]
    seen: set[int] = set()
    for _ in range(_DEEPEST):
        inner: list[tuple[tuple[str, ...], Any]] = []
        for keys, value in level:
            if id(value) in seen:
                continue
            seen.add(id(value))
            tensors = tensors_of(value)
            if tensors:
                yield keys, tensors
            inner += [
                ((*keys, name), entry)
                for name, entry in entries_of(value).items()
                if isinstance(name, str) and entries_of(entry)
            ]
        level = inner


_AVERAGED = {"ema", "avg", "average", "averaged", "swa", "shadow"}
_COUNTERS = {"initted", "step", "n_averaged", "num_updates", "decay"}
_DEEPEST = 6
_NUM_SHOWN = 12
