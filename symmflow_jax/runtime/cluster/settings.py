"""Where the processes of a run meet: flags, environment variables, or the cluster's own."""

import dataclasses
import os
from collections.abc import Mapping, Sequence

from symmflow_jax.runtime.cluster import detection
from symmflow_jax.runtime.errors import shown_value

VARIABLES = {
    "coordinator": "SYMMFLOW_COORDINATOR",
    "num_processes": "SYMMFLOW_NUM_PROCESSES",
    "process_id": "SYMMFLOW_PROCESS_ID",
    "startup_timeout": "SYMMFLOW_STARTUP_TIMEOUT",
}
"""The environment variable of each flag; a flag counts more."""

STARTUP_TIMEOUT = 300.0
"""Seconds in which all processes must have started."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """One process among those of a run.

    Attributes:
        host: name or address of the host of process 0.
        port: the port on which process 0 listens.
        num_processes: number of processes, at least 2.
        process_id: number of this one, from 0.
        startup_timeout: seconds in which all processes must have started.
        local_device_ids: the accelerators of its host that it uses; None for all of them.
    """

    host: str
    port: int
    num_processes: int
    process_id: int
    startup_timeout: float = STARTUP_TIMEOUT
    local_device_ids: Sequence[int] | None = None

    @property
    def coordinator(self) -> str:
        """The address of process 0."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def of_process(
    flags: Mapping[str, str | None], environment: Mapping[str, str] | None = None
) -> Settings | None:
    """The settings of this process, or None if the run has one process.

    Flags and variables come first, then what JAX detects: TPU metadata, Slurm, Open MPI and
    Kubernetes.

    Args:
        flags: the values of the flags that `VARIABLES` names, as texts; None if not given.
        environment: the environment variables; by default those of this process.

    Raises:
        ValueError: if values are incomplete, contradict each other or are none.
    """
    environment = os.environ if environment is None else environment
    given: dict[str, tuple[str, str]] = {}
    for name, variable in VARIABLES.items():
        for source, value in (
            (variable, environment.get(variable)),
            (f"--{name}", flags.get(name)),
        ):
            if value:
                given[name] = (source, value)
    timeout = _seconds(*given.pop("startup_timeout")) if "startup_timeout" in given else None
    if not given:
        return _detected(timeout or STARTUP_TIMEOUT)
    by_flag = {name for name, (source, _) in given.items() if source.startswith("--")}
    # A flag for one process alone counts more than all variables.
    says_one = given.get("num_processes", ("", ""))[1] == "1"
    if says_one and (by_flag == {"num_processes"} or given.keys() == {"num_processes"}):
        return None
    missing = [name for name in VARIABLES if name not in given and name != "startup_timeout"]
    if missing:
        here = " and ".join(f"{source}={value}" for source, value in given.values())
        lacking = " and ".join(f"--{name} (or {VARIABLES[name]})" for name in missing)
        raise ValueError(f"{here} is given without {lacking}; give all three, or none of them.")
    count = _number(*given["num_processes"], least=1)
    index = _number(*given["process_id"], least=0)
    host, port = _address(*given["coordinator"])
    if index >= count:
        raise ValueError(
            f"{given['process_id'][0]}={index} is no process of {count}; their ids are 0 to "
            f"{count - 1}."
        )
    if count == 1:
        return None
    return Settings(host, port, count, index, timeout or STARTUP_TIMEOUT)


def _detected(timeout: float) -> Settings | None:
    found = detection.detect(timeout)
    if found is None:
        return None
    host, port = _address("The coordinator that JAX found", found.coordinator)
    return Settings(
        host, port, found.num_processes, found.process_id, timeout, found.local_device_ids
    )


def _address(source: str, text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise ValueError(
            f"{source}={shown_value(text)} is no address; give host and port of process 0, such "
            "as 10.0.0.1:8476."
        )
    return host, int(port)


def _number(source: str, text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise ValueError(f"{source}={shown_value(text)} is no number of at least {least}.")
    return int(text)


def _seconds(source: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise ValueError(f"{source}={shown_value(text)} is no positive number of seconds.")
    return seconds
