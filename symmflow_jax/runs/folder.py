"""The folder of a run: lock, description, history and skipped examples."""

import contextlib
import errno
import importlib.metadata
import json
import logging
import pathlib
import platform
from collections.abc import Callable, Iterator
from typing import Any

import filelock
import jax

import symmflow_jax
from symmflow_jax.runs.bucket.lease import Lease
from symmflow_jax.runtime import files, outputs, processes
from symmflow_jax.runtime.cluster import session
from symmflow_jax.runtime.storage.place import is_remote

SKIPPED = "skipped.jsonl"
"""File of a run that lists the examples that could not be read and were skipped."""

HISTORY = "history.jsonl"
"""File of a run with the progress of its training."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)

_logger = logging.getLogger(__name__)

_PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "grain", "numpy")


INSTEAD = "another --workdir"
"""What to give in the place of a folder that cannot be written, for messages."""


class Claim:
    """The lock of a folder for one training, because two would mix histories and checkpoints.

    As a context manager it locks a folder that has a lock file, and changes nothing; `take` makes
    the folder and its lock where there is none. Leaving it releases the lock; so does the end of a
    killed process. A folder in a bucket has a lease, which runs out after such an end.

    Args:
        workdir: folder of the run.

    Raises:
        ValueError: if another training has locked the folder, or if it cannot be written.
        StorageError: if it is in a bucket that cannot be written.
    """

    def __init__(self, workdir: pathlib.Path):
        self._workdir = workdir
        self._lease = Lease(workdir) if is_remote(workdir) else None
        self._lock = None if self._lease else filelock.FileLock(workdir / "training.lock")

    def __enter__(self) -> "Claim":
        if self._lease is not None:
            if processes.is_primary():
                outputs.check_writable(self._workdir, INSTEAD)
                self.take()
            return self
        outputs.check_writable(self._workdir, INSTEAD)
        if (self._workdir / "training.lock").exists():
            self.take()
        return self

    def take(self) -> None:
        """Makes the folder if needed and locks it; raises ValueError like the class."""
        if not processes.is_primary():
            return
        if self._lease is not None:
            if not self._lease.is_held:
                self._lease.take()
                session.at_end(self._lease.release)
            return
        assert self._lock is not None
        if self._lock.is_locked:
            return
        with explained_refusal(self._workdir):
            self._workdir.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire(timeout=0)
            except filelock.Timeout:
                raise ValueError(
                    f"Another training is writing to {self._workdir}. Wait until it ends, stop it, "
                    "or give another --workdir."
                ) from None

    def check(self) -> None:
        """Raises ValueError if another training has taken the folder over."""
        if self._lease is not None:
            self._lease.check()

    def __exit__(self, *error) -> None:
        if self._lease is not None:
            self._lease.release()
        if self._lock is not None:
            self._lock.release(force=True)


@contextlib.contextmanager
def explained_refusal(workdir: pathlib.Path) -> Iterator[None]:
    """Turns an error of the file system into a `ValueError` of one line."""
    try:
        yield
    except OSError as error:
        raise ValueError(
            f"{workdir} cannot be written ({error.strerror or error}); give another --workdir."
        ) from error


def is_refusal(error: OSError, workdir: pathlib.Path) -> bool:
    """True if an error says that a file of the run could not be written."""
    if error.filename is None:
        return error.errno in _FULL
    if is_remote(workdir):
        return str(error.filename).startswith(f"{workdir}/")
    return pathlib.Path(error.filename).absolute().is_relative_to(workdir.absolute())


def write_description(
    workdir: pathlib.Path, config: dict[str, Any], data: dict[str, Any] | None = None
) -> None:
    """Writes `config.json`, `versions.json` with package versions and devices, and `data.json`.

    Args:
        workdir: folder of the run.
        config: the config as plain values.
        data: what its splits are made of (`experiment.training_provenance`), or None.
    """
    workdir.mkdir(parents=True, exist_ok=True)
    files.write_json(workdir / "config.json", config)
    versions = {"symmflow_jax": symmflow_jax.__version__}
    versions |= {name: importlib.metadata.version(name) for name in _PACKAGES}
    machine = {
        "python": platform.python_version(),
        "platform": jax.default_backend(),
        "device": jax.devices()[0].device_kind,
        "num_devices": jax.device_count(),
        "num_processes": jax.process_count(),
    }
    files.write_json(workdir / "versions.json", versions | machine)
    if data is not None:
        files.write_json(workdir / "data.json", data)


class History:
    """The progress of training as lines of JSON in `history.jsonl`.

    Args:
        workdir: folder of the run on a disk, see `staging.Staging.folder`.
        step: step at which training starts. Later lines are removed; they come from a run that
            was stopped after its last checkpoint.
    """

    def __init__(self, workdir: pathlib.Path, step: int):
        self._path = workdir / HISTORY
        lines = self._path.read_bytes().splitlines(keepends=True) if self._path.exists() else []
        kept = b"".join(line for line in lines if _is_kept(line, step))
        if processes.is_primary() and kept != b"".join(lines):
            # Replaced at once, so that a full disk does not empty it.
            partial = self._path.with_suffix(".partial")
            partial.write_bytes(kept)
            partial.replace(self._path)

    def append(self, step: int, values: dict[str, float]) -> None:
        """Adds one line."""
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(files.as_json({"step": step} | values) + "\n")
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from error


def read_history(workdir: pathlib.Path) -> list[dict[str, float]]:
    """The lines of the history of a run, without an incomplete last line.

    A damaged line is left out with a warning.
    """
    return _read_lines(workdir / HISTORY, _is_progress)


def read_skipped(workdir: pathlib.Path) -> list[str]:
    """The distinct error messages of skipped examples, of all processes, sorted.

    A damaged line is left out with a warning.
    """
    places = [workdir / SKIPPED]
    if is_remote(workdir):  # Each process has its own file there.
        places += sorted(workdir.glob("skipped.*.jsonl"))
    lines = [
        line
        for place in places
        for line in _read_lines(place, lambda line: isinstance(line.get("error"), str))
    ]
    return sorted({line["error"] for line in lines})


def _is_progress(line: dict[str, Any]) -> bool:
    """True for a line of the history: an integer "step", and numbers or null."""
    return isinstance(line.get("step"), int) and all(
        isinstance(value, int | float | None) for value in line.values()
    )


def _is_kept(line: bytes, step: int) -> bool:
    """True for complete lines up to a step, and for those of which the step is not known."""
    values = _parsed(line, _is_progress)
    return line.endswith(b"\n") and (values is None or values["step"] <= step)


def _read_lines(
    path: pathlib.Path, is_valid: Callable[[dict[str, Any]], bool]
) -> list[dict[str, Any]]:
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    parsed = [_parsed(line, is_valid) for line in lines if line.endswith(b"\n")]
    damaged = [number for number, values in enumerate(parsed, start=1) if values is None]
    if damaged:
        _logger.warning(
            "%s: %d damaged lines are left out (the first is line %d).",
            path,
            len(damaged),
            damaged[0],
        )
    return [values for values in parsed if values is not None]


def _parsed(line: bytes, is_valid: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
    """The object in a line of JSON, or None if the line is damaged."""
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) and is_valid(values) else None
