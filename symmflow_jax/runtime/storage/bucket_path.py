"""A path in a bucket with the interface of `pathlib.Path`.

A bucket has no folders: one exists as long as a file is below it, and is made by its first file. A
file is written at once and whole, or not at all. Nothing can be appended to it.
"""

import datetime
import fnmatch
import hashlib
import io
import os
import pathlib
import stat
from collections.abc import Generator, Iterator
from typing import IO, Any

from etils.epath.gpath import PosixGPath

from symmflow_jax.runtime.storage import drivers, faults
from symmflow_jax.runtime.storage.faults import StorageError


class BucketPath(PosixGPath, pathlib.PosixPath):  # type: ignore[misc]
    """A file or folder such as `gs://bucket/run`.

    Methods raise StorageError where a disk would raise other errors than FileNotFoundError,
    FileExistsError and IsADirectoryError. Those that buckets cannot have raise it too.
    """

    __slots__ = ()

    @property
    def _files(self) -> Any:
        return drivers.driver(str(self))

    def exists(self, **options: Any) -> bool:
        """True for a file, and for a folder with files."""
        return self._info() is not None

    def is_file(self) -> bool:
        """True for a file."""
        return (self._info() or {}).get("type") == "file"

    def is_dir(self) -> bool:
        """True for a folder with files."""
        return (self._info() or {}).get("type") == "directory"

    def is_symlink(self) -> bool:
        """False."""
        return False

    def stat(self, **options: Any) -> os.stat_result:  # type: ignore[override]
        """Kind, size and time of change; the number stands for the place."""
        info = self._info()
        if info is None:
            raise FileNotFoundError(2, "No such object", str(self))
        changed = info.get("mtime") or info.get("LastModified")
        seconds = changed.timestamp() if isinstance(changed, datetime.datetime) else 0.0
        kind = stat.S_IFDIR if info["type"] == "directory" else stat.S_IFREG
        digest = hashlib.sha256(str(self).encode("utf-8", "surrogateescape")).digest()
        number = int.from_bytes(digest[:7], "big")
        size = info.get("size") or 0
        return os.stat_result((kind | 0o600, number, -1, 1, 0, 0, size, seconds, seconds, seconds))

    def lstat(self) -> os.stat_result:
        """As `stat`."""
        return self.stat()

    def version(self) -> str:
        """A text that is another one when the content has changed."""
        info = self._info()
        if info is None:
            raise FileNotFoundError(2, "No such object", str(self))
        signs = (info.get("generation"), info.get("ETag"), info.get("md5Hash"), info.get("size"))
        return " ".join(str(sign) for sign in signs if sign is not None)

    def absolute(self) -> "BucketPath":
        """Itself."""
        return self

    def resolve(self, strict: bool = False) -> "BucketPath":
        """Itself."""
        return self

    def iterdir(self) -> Generator["BucketPath", None, None]:
        """The files and folders in a folder; raises FileNotFoundError if there is none."""
        yield from [self / name for name in self._sizes()]

    def sizes(self) -> dict[str, int]:
        """The files in a folder with their sizes in bytes, by one request; empty if none is."""
        try:
            return {name: size for name, size in self._sizes().items() if size is not None}
        except FileNotFoundError:
            return {}

    def glob(self, pattern: str) -> Iterator["BucketPath"]:  # type: ignore[override]
        """The files and folders of a pattern without "**"."""
        if "**" in pattern:
            raise StorageError(f"{self}: a pattern of all folders ({pattern}) has no place here.")
        first, _, rest = pattern.partition("/")
        try:
            found = [path for path in self.iterdir() if fnmatch.fnmatchcase(path.name, first)]
        except (FileNotFoundError, NotADirectoryError):
            return
        for path in found:
            yield from path.glob(rest) if rest else (path,)

    def mkdir(self, mode: Any = None, parents: bool = False, exist_ok: bool = False) -> None:
        """Does nothing, since the first file makes its folders."""
        if not exist_ok and self.exists():
            raise FileExistsError(17, "It exists", str(self))
        if exist_ok and self.is_file():
            raise FileExistsError(17, "It is a file", str(self))

    def open(  # type: ignore[override]
        self, mode: str = "r", buffering: int = -1, encoding: str | None = None, **options: Any
    ) -> IO[Any]:
        """Opens the file to read it, or to write it whole; it is there when it is closed."""
        if set(mode) - set("rwbt"):
            raise StorageError(f"{self}: a file in a bucket cannot be opened with {mode!r}.")
        raw: IO[bytes] = _Upload(self) if "w" in mode else io.BytesIO(self.read_bytes())
        if "b" in mode:
            return raw
        return io.TextIOWrapper(raw, encoding=encoding or "utf-8", **options)

    def read_bytes(self) -> bytes:
        """The content."""
        with faults.explained(str(self)):
            return self._files.cat_file(str(self))

    def read_range(self, start: int, end: int) -> bytes:
        """The bytes of the content from one place to another."""
        if start >= end:
            return b""
        with faults.explained(str(self)):
            return self._files.cat_file(str(self), start=start, end=end)

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:  # type: ignore[override]
        """The content as text; ends of lines become "\\n", as on disks."""
        text = self.read_bytes().decode(encoding or "utf-8", errors or "strict")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def write_bytes(self, data: Any) -> int:
        """Writes or replaces the file, whole or not at all."""
        try:
            with faults.explained(str(self)):
                self._files.pipe_file(str(self), bytes(data))
        except FileNotFoundError as error:
            raise faults.no_bucket(str(self)) from error
        return len(data)

    def write_text(  # type: ignore[override]
        self,
        data: str,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> int:
        """Writes or replaces the file, whole or not at all."""
        return self.write_bytes(data.encode(encoding or "utf-8", errors or "strict"))

    def upload(self, path: pathlib.Path) -> None:
        """Writes or replaces the file with the content of one on a disk."""
        try:
            with faults.explained(str(self)):
                self._files.put_file(str(path), str(self))
        except FileNotFoundError as error:
            raise faults.no_bucket(str(self)) from error

    def download(self, path: pathlib.Path) -> None:
        """Writes the content to a file on a disk, in a folder that exists."""
        with faults.explained(str(self)):
            self._files.get_file(str(self), str(path))

    def unlink(self, missing_ok: bool = False) -> None:
        """Removes the file."""
        if not missing_ok and not self.exists():  # S3 removes what is not there too.
            raise FileNotFoundError(2, "No such object", str(self))
        try:
            with faults.explained(str(self)):
                self._files.rm_file(str(self))
        except FileNotFoundError:
            if not missing_ok:
                raise

    def rmtree(self, missing_ok: bool = False) -> None:
        """Removes all files below the folder."""
        with faults.explained(str(self)):
            names = self._files.find(str(self))
            if not names and not missing_ok:
                raise FileNotFoundError(2, "No such object", str(self))
            for name in names:
                self._files.rm_file(name)

    def rmdir(self) -> None:
        """Does nothing, since a folder without files does not exist."""

    def rename(self, target: Any) -> "BucketPath":
        """Copies the file within buckets, and removes the old one."""
        target = type(self)(target)
        with faults.explained(str(self)):
            self._files.cp_file(str(self), str(target))
        self.unlink()
        return target

    replace = rename

    def _info(self) -> dict[str, Any] | None:
        try:
            with faults.explained(str(self)):
                return self._files.info(str(self))
        except FileNotFoundError:
            return None

    def _sizes(self) -> dict[str, int | None]:
        """The names in a folder with the sizes of files; None for folders."""
        with faults.explained(str(self)):
            entries = self._files.ls(str(self), detail=True)
        own = str(self).split("://")[1]
        found = {}
        for entry in entries:
            place = entry["name"].rstrip("/")
            if place == own:
                if entry["type"] == "file" and not entry["name"].endswith("/"):
                    raise NotADirectoryError(20, "It is a file", str(self))
                continue  # An object that only marks the folder.
            is_folder = entry["type"] == "directory"
            found[place.rsplit("/", 1)[-1]] = None if is_folder else entry["size"]
        return dict(sorted(found.items()))


class _Upload(io.BytesIO):
    """The content of a file to write; it is written when it is closed without an error."""

    def __init__(self, path: BucketPath):
        super().__init__()
        self._path = path

    def __exit__(self, error_type: Any, *error: Any) -> None:
        if error_type is None:
            self.close()
        else:
            super().close()

    def close(self) -> None:
        if not self.closed:
            content = self.getvalue()
            super().close()
            self._path.write_bytes(content)

    def __del__(self) -> None:
        """Without an end by `close`, nothing is written."""


def _refused(name: str) -> Any:
    def refuse(self: BucketPath, *values: Any, **options: Any) -> Any:
        raise StorageError(f"{self}: a file in a bucket has no {name!r}.")

    return refuse


_BEFORE = BucketPath.__mro__[: BucketPath.__mro__.index(pathlib.PosixPath)]
_OWN = {name for cls in _BEFORE for name in vars(cls)} | {"samefile"}
for _name, _value in vars(pathlib.Path).items():
    # What would ask the disk for a folder named "gs:".
    if not _name.startswith("_") and callable(_value) and _name not in _OWN:
        setattr(BucketPath, _name, _refused(_name))
