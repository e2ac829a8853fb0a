"""The folder of a run: lock, description, history and skipped examples."""

import contextlib
import importlib.metadata
import json
import pathlib
import platform
from collections.abc import Iterator
from typing import Any

import filelock
import jax

from symmflow_jax.runtime import files, processes

SKIPPED = "skipped.jsonl"
"""File of a run that lists the examples that could not be read and were skipped."""

_PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "grain", "numpy")


@contextlib.contextmanager
def claim(workdir: pathlib.Path) -> Iterator[None]:
    """Locks a folder for one training, because two would mix histories and checkpoints.

    The lock of a killed process is released.

    Raises:
        ValueError: if another training has locked the folder.
    """
    if not processes.is_primary():
        yield
        return
    workdir.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(workdir / "training.lock")
    try:
        held = lock.acquire(timeout=0)
    except filelock.Timeout:
        raise ValueError(
            f"Another training is writing to {workdir}. Wait until it ends, stop it, or give "
            "another --workdir."
        ) from None
    with held:
        yield


def write_description(workdir: pathlib.Path, config: dict[str, Any]) -> None:
    """Writes `config.json` and `versions.json`, with package versions and devices."""
    workdir.mkdir(parents=True, exist_ok=True)
    files.write_json(workdir / "config.json", config)
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    machine = {
        "python": platform.python_version(),
        "platform": jax.default_backend(),
        "device": jax.devices()[0].device_kind,
        "num_devices": jax.device_count(),
        "num_processes": jax.process_count(),
    }
    files.write_json(workdir / "versions.json", versions | machine)


class History:
    """The progress of training as lines of JSON in `history.jsonl`.

    Args:
        workdir: folder of the run.
        step: step at which training starts. Later lines are removed; they come from a run that
            was stopped after its last checkpoint.
    """

    def __init__(self, workdir: pathlib.Path, step: int):
        self._path = workdir / "history.jsonl"
        kept = [line for line in read_history(workdir) if line["step"] <= step]
        files.write_text(self._path, "".join(files.as_json(line) + "\n" for line in kept))

    def append(self, step: int, values: dict[str, float]) -> None:
        """Adds one line."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(files.as_json({"step": step} | values) + "\n")


def read_history(workdir: pathlib.Path) -> list[dict[str, float]]:
    """The lines of the history of a run, without an incomplete last line."""
    return _read_lines(workdir / "history.jsonl")


def read_skipped(workdir: pathlib.Path) -> list[str]:
    """The distinct error messages of skipped examples, of all processes, sorted."""
    return sorted({line["error"] for line in _read_lines(workdir / SKIPPED)})


def _read_lines(path: pathlib.Path) -> list[dict[str, Any]]:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = text.splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]
