"""Whether all processes of a run have the same folder."""

import pathlib
import secrets
import time

from symmflow_jax.runtime import processes
from symmflow_jax.runtime.cluster import session
from symmflow_jax.runtime.cluster.channel import named

_TOKEN = "hosts.token"

_PATIENCE = 10.0
"""Seconds that a file system of several hosts may take to show a new file."""


def check_same_step(workdir: pathlib.Path, step: int | None) -> None:
    """Raises ValueError if processes see checkpoints of other steps in the folder of a run."""
    steps = session.exchange("latest step", step)
    if len(set(steps)) > 1:
        process = next(index for index, other in enumerate(steps) if other != steps[0])
        raise ValueError(
            f"The last checkpoint in {workdir} is {_of(steps[0])} for process 0, and "
            f"{_of(steps[process])} for process {process}. {_remedy(workdir)}"
        )


def _of(step: int | None) -> str:
    return "none" if step is None else f"of step {step}"


def check(folder: pathlib.Path) -> None:
    """Raises ValueError if processes do not see what process 0 writes to a folder.

    Only process 0 writes, a small file that it removes again.
    """
    strangers = processes_without(folder)
    if strangers:
        raise ValueError(
            f"{named(strangers).capitalize()} of {session.num_processes()} cannot see what process "
            f"0 writes to {folder}. {_remedy(folder)}"
        )


def processes_without(folder: pathlib.Path) -> list[int]:
    """The processes that do not see what process 0 writes to a folder."""
    if session.num_processes() == 1:
        return []
    path = folder / _TOKEN
    token = secrets.token_hex(8)
    if processes.is_primary():
        path.write_text(token, encoding="utf-8")
    token = session.exchange("token", token)[0]
    seen = session.exchange("seen", _is_seen(path, token))
    if processes.is_primary():
        path.unlink(missing_ok=True)
    return [process for process, sees in enumerate(seen) if not sees]


def _is_seen(path: pathlib.Path, token: str) -> bool:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        try:
            if path.read_text(encoding="utf-8") == token:
                return True
        except (OSError, ValueError):
            pass
        time.sleep(0.1)
    return False


def _remedy(folder: pathlib.Path) -> str:
    return (
        f"All processes need the same folder: give a --workdir on a file system that all hosts "
        f"share, under the same path, in the place of {folder}."
    )
