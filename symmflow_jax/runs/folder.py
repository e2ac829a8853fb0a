"""The folder of a run: what is written beside the checkpoints, and where."""

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
"""File of a run that names the examples that could not be read and were left out."""

_PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "grain", "numpy")


@contextlib.contextmanager
def claim(workdir: pathlib.Path) -> Iterator[None]:
    """Keeps a folder for one training: two would mix their histories and checkpoints.

    A process that is killed leaves nothing behind that would keep the next one out.

    Raises:
        ValueError: if another training has the folder.
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
    """Writes `config.json` and `versions.json`."""
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
        step: step at which training begins; lines beyond it, left by a run that was stopped
            after its last checkpoint, are dropped.
    """

    def __init__(self, workdir: pathlib.Path, step: int):
        self._path = workdir / "history.jsonl"
        kept = [line for line in read_history(workdir) if line["step"] <= step]
        self._path.write_text("".join(json.dumps(line) + "\n" for line in kept))

    def append(self, step: int, values: dict[str, float]) -> None:
        """Adds one line."""
        with self._path.open("a") as file:
            file.write(json.dumps({"step": step} | values) + "\n")


def read_history(workdir: pathlib.Path) -> list[dict[str, float]]:
    """The lines of a run's history; a last line cut off in writing is left out."""
    return _read_lines(workdir / "history.jsonl")


def read_skipped(workdir: pathlib.Path) -> list[str]:
    """What was wrong with each example that was left out, once, whoever met it."""
    return sorted({line["error"] for line in _read_lines(workdir / SKIPPED)})


def _read_lines(path: pathlib.Path) -> list[dict[str, Any]]:
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]
