"""Several processes of a small training on this machine, started as a user would."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]

SMALL_RUN = (
    "--config=tests/configs/tiny.py",
    "--config.data.source=spirals",
    "--config.data.image_size=()",
    "--config.semantics.encoding=plane",
    "--config.network.name=mlp",
    "--config.eval.metrics=objective",
)
"""A training that is over in seconds, on points in the plane."""


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Cluster:
    """The processes of one command; each writes to a file of its own.

    Args:
        workdir: folder of the run; the files lie beside it.
        arguments: flags of the command.
        count: number of processes; 1 starts the command without any flag of a cluster.
        environment: further environment variables.
        flags: makes the flags of a process from its number and the port.
    """

    def __init__(
        self,
        workdir: pathlib.Path,
        *arguments: str,
        count: int = 4,
        environment: dict[str, str] | None = None,
        ids: Sequence[int] | None = None,
    ):
        self.workdir, self.count = workdir, count
        port = free_port()
        logs = workdir.with_name(f"{workdir.name}.logs")
        logs.mkdir(parents=True, exist_ok=True)
        self.paths, self.processes = [], []
        for index in range(count) if ids is None else ids:
            flags = (
                f"--coordinator=127.0.0.1:{port}",
                f"--num_processes={count}",
                f"--process_id={index}",
            )
            self.paths.append(logs / str(index))
            with self.paths[-1].open("wb") as log:
                self.processes.append(
                    subprocess.Popen(
                        [
                            *(sys.executable, "-m", "symmflow_jax.main", *arguments),
                            *(f"--workdir={workdir}", *(flags if count > 1 else ())),
                        ],
                        cwd=ROOT,
                        env=os.environ | (environment or {}),
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                    )
                )

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *exception) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def texts(self) -> list[str]:
        """What each process has written."""
        return [path.read_text(errors="replace") for path in self.paths]

    def wait_for(self, pattern: str, seconds: float, index: int = 0) -> bool:
        """Waits until a process has written a pattern; False if it has ended before."""
        return self._until(lambda: re.search(pattern, self.texts()[index]), seconds)

    def wait_for_handler(self, index: int, seconds: float) -> bool:
        """Waits until a process takes SIGTERM itself; False if it has ended before."""
        status = pathlib.Path(f"/proc/{self.processes[index].pid}/status")

        def handles() -> bool:
            caught = re.search(r"SigCgt:\s*(\w+)", status.read_text())
            return bool(caught and int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)

        return self._until(handles, seconds)

    def _until(self, condition: Callable[[], object], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return True
            if all(process.poll() is not None for process in self.processes):
                return bool(condition())
            time.sleep(0.02)
        raise TimeoutError("\n".join(self.texts()))

    def statuses(self, seconds: float) -> list[int | None]:
        """The status of each process, at latest after a time; None for one that has not ended."""
        end = time.monotonic() + seconds
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.01, end - time.monotonic()))
        return [process.poll() for process in self.processes]


def contents(workdir: pathlib.Path) -> dict[str, np.ndarray | bytes]:
    """What a finished run has learned and measured: weights, losses and metrics."""
    import jax

    import symmflow_jax

    model = symmflow_jax.load(workdir)
    leaves = jax.tree.leaves_with_path(jax.device_get(model.weights))
    found: dict[str, np.ndarray | bytes] = {
        jax.tree_util.keystr(k): np.asarray(v) for k, v in leaves
    }
    for name in ("history.jsonl", "metrics.json"):
        found[name] = (workdir / name).read_bytes()
    return found


def differences(first: dict, second: dict) -> list[str]:
    """The names of what differs in any bit."""
    assert first.keys() == second.keys()
    return [
        name
        for name, value in first.items()
        if (value if isinstance(value, bytes) else value.tobytes())
        != (second[name] if isinstance(second[name], bytes) else second[name].tobytes())
    ]
