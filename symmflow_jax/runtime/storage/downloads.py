"""Files of buckets as files on a disk, for libraries that read nothing else."""

import functools
import pathlib
import tempfile
from collections.abc import Sequence

import filelock

from symmflow_jax.runtime import outputs, paths
from symmflow_jax.runtime.storage.place import is_remote


def fetched(path: pathlib.Path) -> pathlib.Path:
    """A file on a disk: itself, or a copy of a file of a bucket.

    Copies are kept in the cache of this package (`paths.cache_folder`), under the names of bucket
    and file, and made again when the file has changed. Of the processes of one machine, one makes
    a copy while the others wait.

    Raises:
        FileNotFoundError: if a file of a bucket does not exist.
        OutputError: if the copy cannot be written.
        StorageError: if the bucket cannot be used.
    """
    if not is_remote(path):
        return path
    copy, version = copy_of(path), path.version()
    if path.is_dir():
        raise IsADirectoryError(21, "It is a folder", str(path))
    mark = copy.with_name(f".{copy.name}.version")
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(copy.with_name(f".{copy.name}.lock")):
            if copy.is_file() and mark.is_file() and mark.read_text(encoding="utf-8") == version:
                return copy
            mark.unlink(missing_ok=True)
            partial = outputs.partial_of(copy)
            try:
                path.download(partial)
                partial.replace(copy)
            finally:
                partial.unlink(missing_ok=True)
            mark.write_text(version, encoding="utf-8")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise outputs.OutputError(
            outputs.refusal(copy, error, "another XDG_CACHE_HOME, the folder of copies")
        ) from error
    return copy


def sizes_of(paths: Sequence[pathlib.Path]) -> list[int | None]:
    """The bytes of the files of one folder, None for missing ones; of a bucket by one request."""
    if not paths or not is_remote(paths[0]):
        return [path.stat().st_size if path.is_file() else None for path in paths]
    sizes = paths[0].parent.sizes()
    return [sizes.get(path.name) for path in paths]


def copy_of(path: pathlib.Path) -> pathlib.Path:
    """Where the copy of a file of a bucket is kept; the file itself if it is on a disk."""
    if not is_remote(path):
        return path
    scheme, rest = str(path).split("://", 1)
    return _folder() / scheme / rest


@functools.cache
def _folder() -> pathlib.Path:
    try:
        folder = paths.cache_folder() / "buckets"
        outputs.check_writable(folder)
        return folder
    except (RuntimeError, outputs.OutputError):  # No home is known, as in some containers.
        return pathlib.Path(tempfile.mkdtemp(prefix="symmflow_jax-buckets-"))
