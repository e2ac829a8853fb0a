"""Errors of downloads: one line each, with what to do.

Without a network the line says which file to get, where to put it, and the command that then works.
"""

import re
import shlex
import sys
from collections.abc import Collection, Mapping, Sequence

from symmflow_jax.interop.folders.needed_files import SETTINGS, STEM
from symmflow_jax.interop.hub.address import Address, endpoint, has_suffix, is_valid, parse
from symmflow_jax.interop.torch_files import WeightsFileError
from symmflow_jax.runtime.errors import first_line, nearest, shown


def no_package(address: Address) -> WeightsFileError:
    """The error where huggingface_hub is not installed."""
    return WeightsFileError(
        f"{address} needs the package huggingface_hub: pip install huggingface_hub. Without "
        f"it, {by_hand(address)}"
    )


def not_listed(address: Address, error: Exception, cache: str) -> WeightsFileError:
    """The error if the hub does not say what a repository has, and nothing is in the cache."""
    # Imported here because the package is optional.
    from huggingface_hub import errors

    if isinstance(error, errors.HfHubHTTPError | errors.HFValidationError):
        return refused(address, error)
    advice = (
        "Unset it; or"
        if isinstance(error, errors.OfflineModeIsEnabled)
        else "Where there is a network,"
    )
    return WeightsFileError(
        f"{address} is not in the cache ({cache}), and {no_answer(error)}. {advice} "
        f"{by_hand(address)}"
    )


def no_answer(error: Exception) -> str:
    """Why the hub did not answer."""
    from huggingface_hub import errors

    if isinstance(error, errors.OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE forbids downloads"
    return f"{endpoint()} cannot be reached ({_reason(error)})"


def refused(address: Address, error: Exception) -> WeightsFileError:
    """The error for an answer of the hub that is no file, such as 401 or 404."""
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
    base = address.path.rpartition("/")[2]
    moved = [name for name in names if name.rpartition("/")[2] == base]
    similar = nearest(address.path, moved or [*_weights(names), *folders], "files")
    advice = similar if similar.startswith("Did") else f"Its files are {_listed(moved or names)}."
    return WeightsFileError(
        f"{address}: {address.repository} has no {address.path!r} at commit {commit}. "
        f"{advice if names else 'It has no files.'}"
    )


def no_weights(address: Address, commit: str, names: Collection[str]) -> WeightsFileError:
    """The error for a folder without weights of diffusers."""
    below = f"{address.path}/" if address.path else ""
    inside = [name.removeprefix(below) for name in names if name.startswith(below)]
    folders = {name.partition("/")[0] for name in inside if "/" in name}
    parts = [part for part in ("unet", "vae") if part in folders]
    advice = f"folders: {', '.join(parts)}" if parts else f"files: {_listed(inside)}"
    return WeightsFileError(
        f"{address} is a folder without {STEM}.safetensors or .bin at commit {commit}. Give one of "
        f"its {advice}."
    )


def _weights(names: Collection[str]) -> list[str]:
    """The files of weights, or else all files."""
    return sorted(name for name in names if has_suffix(name)) or sorted(names)


def _listed(names: Collection[str]) -> str:
    found = _weights(names)
    return ", ".join(found[:_NUM_SHOWN]) + (" ..." if len(found) > _NUM_SHOWN else "")


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
