"""Files of a run that grow, if its folder is in a bucket, where nothing can be appended.

They are written to a folder on the disk, and copied to the bucket as wholes: at checkpoints, at the
end, and the history about once a second.
"""

import atexit
import contextlib
import functools
import pathlib
import shutil
import tempfile
import threading
import time

from symmflow_jax.runtime import processes
from symmflow_jax.runtime.cluster import session
from symmflow_jax.runtime.storage import faults
from symmflow_jax.runtime.storage.place import is_remote

_open: dict[pathlib.Path, "Staging"] = {}


class Staging:
    """The place of the growing files of a run; `of` has one for each run.

    Args:
        workdir: folder of the run.

    Attributes:
        folder: where they are written: the folder of the run, or one on the disk in its place.
    """

    def __init__(self, workdir: pathlib.Path):
        self._workdir = workdir
        self._is_remote = is_remote(workdir)
        self.folder = workdir
        if self._is_remote:
            self.folder = temporary_folder()
        self._copied: dict[pathlib.Path, tuple[int, int]] = {}
        self._last = -float("inf")
        self._lock = threading.Lock()

    @property
    def is_staged(self) -> bool:
        """True if the files are not written to the folder of the run itself."""
        return self._is_remote

    def fetch(self, name: str) -> pathlib.Path:
        """The path of a file, with what an earlier command has written to it."""
        path = self.folder / name
        if self._is_remote and not path.exists():
            with contextlib.suppress(FileNotFoundError):
                path.write_bytes(self._place(path).read_bytes())
                self._copied[path] = _state(path)
        return path

    def sync(self, name: str = "*", seconds: float = 0.0) -> None:
        """Copies what has changed to the bucket; does nothing for a folder on a disk.

        Args:
            name: pattern of the files' names.
            seconds: time since the last copy before which nothing is copied.

        Raises:
            StorageError: if the bucket refuses.
        """
        if not self._is_remote or time.monotonic() - self._last < seconds:
            return
        with self._lock:
            for path in sorted(self.folder.rglob(name)):
                # Before the copy: what is written meanwhile is copied the next time.
                if path.is_file() and (state := _state(path)) != self._copied.get(path):
                    place = self._place(path)
                    assert is_remote(place)
                    place.upload(path)
                    self._copied[path] = state
            self._last = time.monotonic()

    def close(self) -> None:
        """Copies what has changed, if the bucket can be reached, and removes the folder."""
        _open.pop(self._workdir, None)
        if not self._is_remote:
            return
        if not faults.is_gone():
            with contextlib.suppress(OSError, RuntimeError):
                self.sync()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _place(self, path: pathlib.Path) -> pathlib.Path:
        """The place of a file in the bucket; each process has its own."""
        name = path.relative_to(self.folder)
        if not processes.is_primary():
            name = name.with_suffix(f".{processes.shard().index}{name.suffix}")
        return self._workdir / name


def temporary_folder() -> pathlib.Path:
    """A new folder on the disk, which is gone when the process ends, unless it is killed."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="symmflow_jax-"))
    remove = functools.partial(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(remove)
    session.at_end(remove)
    return folder


def of(workdir: pathlib.Path) -> Staging:
    """The staging of a run, the same one until it is closed."""
    if workdir not in _open:
        _open[workdir] = Staging(workdir)
    return _open[workdir]


def sync(workdir: pathlib.Path) -> None:
    """Copies what has changed, if the growing files of a folder are staged."""
    if workdir in _open:
        _open[workdir].sync()


def _state(path: pathlib.Path) -> tuple[int, int]:
    state = path.stat()
    return state.st_size, state.st_mtime_ns
