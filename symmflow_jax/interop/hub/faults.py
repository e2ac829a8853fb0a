"""Errors of downloads: one line each, with what to do.

Without a network the line says which file to get, where to put it, and the command that then works.
"""

import re
import shlex
import sys
from collections.abc import Collection, Mapping, Sequence

from symmflow_jax.interop.hub.address import Address, endpoint, is_valid, parse
from symmflow_jax.interop.hub.needed_files import SETTINGS, STEM
from symmflow_jax.interop.torch_files import WeightsFileError
from symmflow_jax.runtime.errors import first_line, nearest, shown


def no_package(address: Address) -> WeightsFileError:
    """The error where huggingface_hub is not installed."""
    return WeightsFileError(
        f"{address} needs the package huggingface_hub: pip install 'symmflow_jax[hub]'. Without "
        f"it, {by_hand(address)}"
    )


def unreachable(address: Address, error: Exception) -> WeightsFileError:
    """The error for a hub that does not answer, if nothing is in the cache."""
    return WeightsFileError(
        f"{address} is not in the cache, and {endpoint()} cannot be reached ({_reason(error)}). "
        f"Where there is a network, {by_hand(address)}"
    )


def offline(address: Address, cache: str) -> WeightsFileError:
    """The error for `HF_HUB_OFFLINE`, if nothing is in the cache."""
    return WeightsFileError(
        f"{address} is not in the cache ({cache}), and HF_HUB_OFFLINE forbids downloads. Unset it; "
        f"or {by_hand(address)}"
    )


def refused(address: Address, error: Exception) -> WeightsFileError:
    """The error for an answer of the hub that is no file, such as 401 or 404."""
    # Imported here because the package is optional.
    from huggingface_hub import errors

    name, hub = address.repository, endpoint()
    if isinstance(error, errors.GatedRepoError):
        return WeightsFileError(
            f"{address}: {name} is open only to accounts that have accepted its terms. Accept them "
            f"at {hub}/{name}, and set HF_TOKEN to a token of that account."
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return WeightsFileError(
            f"{address}: {hub} has no models {name}, or they are private. Correct the name; for "
            "private ones, set HF_TOKEN to a token that may read them."
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return WeightsFileError(
            f"{address}: {name} has no revision {address.revision!r}. Give a branch, a tag or a "
            f"commit of {hub}/{name}/commits/main at the end of the address, or leave it out."
        )
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return WeightsFileError(
            f"{address}: {hub} refuses the access token ({_reason(error)}). Set HF_TOKEN to a "
            "valid one, or unset it for public files."
        )
    return WeightsFileError(
        f"{address}: {hub} does not give the file ({_reason(error)}). Try again later, or "
        f"{by_hand(address)}"
    )


def no_file(address: Address, commit: str, names: Collection[str]) -> WeightsFileError:
    """The error for a file or folder that a repository does not have; names the nearest one.

    Args:
        address: what was asked for.
        commit: the commit that was looked at.
        names: the files of the repository.
    """
    folders = {name.rpartition("/")[0] for name in names} - {""}
    weights = [name for name in names if name.endswith((".pt", ".pth", ".bin", ".safetensors"))]
    known = sorted(weights or names)
    shortened = known[:_NUM_SHOWN] + (["..."] if len(known) > _NUM_SHOWN else [])
    similar = nearest(address.path, [*known, *folders], "files")
    advice = similar if similar.startswith("Did") else f"Its files are {', '.join(shortened)}."
    return WeightsFileError(
        f"{address}: {address.repository} has no {address.path!r} at commit {commit}. "
        f"{advice if known else 'It has no files.'}"
    )


def no_weights(address: Address, commit: str, names: Collection[str]) -> WeightsFileError:
    """The error for a folder without weights of diffusers."""
    below = f"{address.path}/" if address.path else ""
    inside = sorted(name.removeprefix(below) for name in names if name.startswith(below))
    parts = [
        part for part in ("unet", "vae") if any(name.startswith(f"{part}/") for name in inside)
    ]
    advice = (
        f"Give one of its folders: {', '.join(parts)}."
        if parts
        else f"Give one of its files: {', '.join(inside[:_NUM_SHOWN])}."
    )
    return WeightsFileError(
        f"{address} is a folder without {STEM}.safetensors or .bin at commit {commit}. {advice}"
    )


def no_space(address: Address, size: int, free: int, cache: str) -> WeightsFileError:
    """The error for a disk that is too small for a download."""
    return WeightsFileError(
        f"{address} has {_bytes(size)}, but {cache} has only {_bytes(free)} free. Free space "
        "there, or set HF_HOME to another folder."
    )


def not_written(address: Address, error: OSError, cache: str) -> WeightsFileError:
    """The error for a cache that cannot be written, such as on a full disk."""
    return WeightsFileError(
        f"{address} cannot be written to {error.filename or cache} ({error.strerror}). Free space "
        "and allow access there, or set HF_HOME to another folder."
    )


def interrupted(address: Address, name: str, error: Exception) -> WeightsFileError:
    """The error for a download that ended before the file did, also after several attempts."""
    return WeightsFileError(
        f"{address}: the download of {name} was interrupted ({_reason(error)}). Run the command "
        f"again; or {by_hand(address)}"
    )


def moved(address: Address, first: str, then: str) -> WeightsFileError:
    """The error for a branch that has changed during the download."""
    return WeightsFileError(
        f"{address} changed from commit {first} to {then} during the download. Run the command "
        f"again, or give the commit: {address}@{then}."
    )


def wrong_hash(address: Address, path: str, found: str, expected: str) -> WeightsFileError:
    """The error for a file whose contents are not those that the hub has."""
    return WeightsFileError(
        f"{address} is damaged: {path} has the SHA-256 {found}, but that of the hub is {expected}. "
        f"Remove it and run the command again: rm {shlex.quote(path)}"
    )


def by_hand(address: Address, command: Sequence[str] | None = None) -> str:
    """How to do without a download here: the file, its place, and the command that then works.

    Other addresses in the command are named too, so that all files are got at once.

    Args:
        address: what was asked for.
        command: program and arguments; by default those of this process.
    """
    arguments = list(sys.orig_argv if command is None else command)[1:]
    given = [match for argument in arguments for match in _GIVEN.findall(argument)]
    places = {text: parse(text) for text in given if is_valid(text)}
    wanted = list(dict.fromkeys([address, *places.values()]))
    what = ", ".join(_errand(other) for other in wanted)
    if address not in places.values():
        return f"{what}; give {_place(address)} instead of {address}."
    replaced = [_GIVEN.sub(lambda match: _replaced(match[0], places), text) for text in arguments]
    return f"{what}; then run: {shown(shlex.join(['python', *replaced]))}"


def _errand(address: Address) -> str:
    """The file to get, and where to put it."""
    if address.is_file:
        return f"get {address.url} and put it at {_place(address)}"
    return (
        f"get {SETTINGS} and the weights ({STEM}.safetensors, or its shards and their index) of "
        f"{address.url} and put them into the folder {_place(address)}"
    )


def _place(address: Address) -> str:
    """Where to put what an address names, in the folder in which commands are run."""
    name = address.repository.rpartition("/")[2]
    return "/".join(["weights", name, *([address.path] if address.path else [])])


def _replaced(text: str, places: Mapping[str, Address]) -> str:
    return _place(places[text]) if text in places else text


# An address is a whole argument, the value of a flag, or an item of a list.
_GIVEN = re.compile(r"(?:^|(?<=[=,]))hf:[^,]+")


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {first_line(error)}"


def _bytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e7 else f"{size / 1e3:.1f} kB"


_NUM_SHOWN = 12
