"""Weights of the hub as files here: fetched once into the cache of huggingface_hub, and checked.

The library resumes broken downloads, and has a lock for each file, so that one of several processes
downloads it while the others wait.
"""

import dataclasses
import functools
import logging
import os
import pathlib
import re
import shutil
from collections.abc import Mapping

from symmflow_jax.interop.folders.needed_files import needed, needed_with
from symmflow_jax.interop.hub import faults
from symmflow_jax.interop.hub.address import Address, endpoint, is_address, parse, refuse_link
from symmflow_jax.interop.torch_files import WeightsFileError
from symmflow_jax.runtime import files
from symmflow_jax.runtime.storage import downloads, drivers
from symmflow_jax.runtime.storage.place import as_path, is_remote

_logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Fetched:
    """A file or folder of the hub.

    Attributes:
        path: the file or folder in the cache.
        commit: the commit of its repository.
        hashes: SHA-256 of each file that was asked for, by its name in the repository.
    """

    path: pathlib.Path
    commit: str
    hashes: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class _Entry:
    """A file of a repository: size in bytes and SHA-256, if they are known."""

    size: int | None
    sha256: str | None


@dataclasses.dataclass(frozen=True)
class _Listing:
    """The files of a repository at a commit, by name; `folder` has them if they are cached."""

    commit: str
    entries: Mapping[str, _Entry]
    folder: pathlib.Path | None = None


def fetched(path: str | pathlib.Path) -> pathlib.Path:
    """The path of weights here: the path itself, or where those of an address are.

    Args:
        path: a file or folder, a file in a bucket, or an address (see `address.FORM`). What is not
            here is downloaded if it is not in the cache.

    Raises:
        WeightsFileError: as `fetch`; or for a link.
    """
    if is_address(path):
        return fetch(str(path)).path
    refuse_link(path)
    if not is_remote(path):
        return pathlib.Path(path)
    return _from_bucket(as_path(path))


def _from_bucket(path: pathlib.Path) -> pathlib.Path:
    """A copy on the disk of weights in a bucket; raises WeightsFileError for a folder."""
    drivers.check_bucket(str(path))
    try:
        return downloads.fetched(path)
    except FileNotFoundError as error:
        raise WeightsFileError(f"{path} does not exist.") from error
    except IsADirectoryError as error:
        raise WeightsFileError(
            f"{path} is a folder; in a bucket, name one file of weights in it, or copy the folder "
            "to a disk."
        ) from error


def here(path: str | pathlib.Path) -> pathlib.Path | None:
    """As `fetched` without any download: None if the weights are not here."""
    if is_remote(path):
        return fetched(path) if as_path(path).exists() else None
    if not is_address(path):
        return pathlib.Path(path) if pathlib.Path(path).exists() else None
    address = parse(str(path))
    listing = _cached(address)
    return listing.folder / address.path if listing and listing.folder else None


@functools.cache
def fetch(text: str) -> Fetched:
    """Fetches what an address names, once in a process; later calls give the same commit.

    Without an answer of the hub, a copy in the cache is taken, and the log says so.

    Args:
        text: the address, see `address.FORM`.

    Raises:
        WeightsFileError: if the address has another form; if the hub does not have the file,
            refuses it or cannot be reached, and it is not in the cache; if the download is
            interrupted; if the cache cannot be written; or if the contents are not the hub's.
    """
    address = parse(text)
    listing = _listed(address)
    names = _names(address, listing)
    if listing.folder is None:
        _check_space(address, listing, names)
    paths = {name: _download(address, listing, name) for name in names}
    hashes = {name: _hash_of(address, path, listing.entries[name]) for name, path in paths.items()}
    for name, sha256 in hashes.items():
        _logger.info("%s: %s of commit %s, SHA-256 %s.", address, name, listing.commit, sha256)
    snapshot = paths[names[0]].parents[names[0].count("/")]
    return Fetched(snapshot / address.path, listing.commit, hashes)


def _listed(address: Address) -> _Listing:
    """The files of the repository, by the hub, or else in the cache."""
    try:
        import huggingface_hub
        from huggingface_hub import constants
    except ImportError:
        raise faults.no_package(address) from None
    api = huggingface_hub.HfApi(endpoint=endpoint())
    try:
        info = api.model_info(
            address.repository,
            revision=address.revision,
            files_metadata=True,
            timeout=constants.HF_HUB_ETAG_TIMEOUT,
        )
    except Exception as error:  # The library lets errors of its web client through.
        listing = _cached(address)
        if listing is None:
            raise faults.not_listed(address, error, str(constants.HF_HUB_CACHE)) from error
        reason = faults.no_answer(error)
        commit = listing.commit
        _logger.info("%s: %s; commit %s in the cache is taken.", address, reason, commit)
        return listing
    entries = {
        file.rfilename: _Entry(file.size, None if file.lfs is None else file.lfs.sha256)
        for file in info.siblings or ()
    }
    return _Listing(str(info.sha), entries)


def _cached(address: Address) -> _Listing | None:
    """What the cache has of the repository, or None; nothing is downloaded."""
    try:
        import huggingface_hub
    except ImportError:
        return None
    try:
        # No pattern: all that is asked for is the folder of the commit.
        snapshot = huggingface_hub.snapshot_download(
            address.repository, revision=address.revision, local_files_only=True, allow_patterns=[]
        )
    except (OSError, ValueError):
        return None
    folder = pathlib.Path(snapshot)
    paths = [path for path in folder.rglob("*") if path.is_file()]
    entries = {path.relative_to(folder).as_posix(): _cached_entry(path) for path in paths}
    listing = _Listing(folder.name, entries, folder)
    try:
        _names(address, listing)
    except ValueError:
        return None
    return listing


def _cached_entry(path: pathlib.Path) -> _Entry:
    """A file of the cache: a link to a file with the SHA-256 as its name, if it is a large one."""
    target = pathlib.Path(os.readlink(path)).name if path.is_symlink() else ""
    return _Entry(path.stat().st_size, target if _SHA256.fullmatch(target) else None)


def _names(address: Address, listing: _Listing) -> list[str]:
    """The names of the files that an address stands for.

    Raises:
        WeightsFileError: if the repository does not have them.
    """
    if address.path in listing.entries:
        folder, slash, name = address.path.rpartition("/")
        return [folder + slash + file for file in needed_with(name, _inside(folder, listing))]
    inside = _inside(address.path, listing)
    if not inside:
        raise faults.no_file(address, listing.commit, listing.entries)
    names = needed(inside)
    if not names:
        raise faults.no_weights(address, listing.commit, listing.entries)
    return [f"{address.path}/{name}" if address.path else name for name in names]


def _inside(folder: str, listing: _Listing) -> list[str]:
    """The names of the files in a folder and below it, relative to it."""
    below = f"{folder}/" if folder else ""
    return [name.removeprefix(below) for name in listing.entries if name.startswith(below)]


def _check_space(address: Address, listing: _Listing, names: list[str]) -> None:
    """Raises a WeightsFileError if the cache has no room for what it does not hold yet."""
    from huggingface_hub import constants, try_to_load_from_cache

    missing = [
        name
        for name in names
        if not isinstance(
            try_to_load_from_cache(address.repository, name, revision=listing.commit), str
        )
    ]
    size = sum(listing.entries[name].size or 0 for name in missing)
    cache = pathlib.Path(constants.HF_HUB_CACHE).absolute()
    existing = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if size > free:
        raise faults.no_space(address, size, free, str(existing))
    if missing:
        _logger.info("Fetching %s from %s (%.1f MB).", address, endpoint(), size / 1e6)


def _download(address: Address, listing: _Listing, name: str) -> pathlib.Path:
    """The file in the cache."""
    if listing.folder is not None:
        return listing.folder / name
    from huggingface_hub import constants, errors, hf_hub_download

    try:
        # The revision as given: with it, the cache notes its commit, for days without a network.
        path = pathlib.Path(
            hf_hub_download(
                address.repository, name, revision=address.revision, endpoint=endpoint()
            )
        )
    except errors.HfHubHTTPError as error:
        raise faults.refused(address, error) from error
    except Exception as error:  # The library lets errors of its web client through.
        if isinstance(error, OSError) and error.strerror and not isinstance(error, ConnectionError):
            raise faults.not_written(address, error, str(constants.HF_HUB_CACHE)) from error
        raise faults.interrupted(address, name, error) from error
    commit = path.parents[name.count("/")].name
    if commit != listing.commit:
        raise faults.moved(address, listing.commit, commit)
    return path


def _hash_of(address: Address, path: pathlib.Path, entry: _Entry) -> str:
    """The SHA-256 of a file.

    Raises:
        WeightsFileError: if the hub has another one.
    """
    found = files.sha256(path)
    if entry.sha256 not in (None, found):
        raise faults.wrong_hash(address, str(path.resolve()), found, str(entry.sha256))
    return found


_SHA256 = re.compile("[0-9a-f]{64}")
