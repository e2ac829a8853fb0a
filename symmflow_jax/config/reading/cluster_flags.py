"""The flags of a run in several processes, and what all of them must have in common."""

from typing import Any

from absl import flags

from symmflow_jax.runtime import files
from symmflow_jax.runtime.cluster import session as sessions, settings
from symmflow_jax.runtime.cluster.session import Session
from symmflow_jax.runtime.errors import shown_value
from symmflow_jax.runtime.signals import Watch

_OF_A_HOST = {
    *("data.dir", "data.num_workers"),
    *(f"data.{split}_{kind}" for split in ("train", "eval") for kind in ("images", "masks")),
}
"""Keys of the config that may differ between hosts: where the same files lie, and how to read."""

_COORDINATOR = flags.DEFINE_string(
    "coordinator",
    None,
    "Host and port of process 0, such as 10.0.0.1:8476, for a run on several hosts that JAX does "
    "not find by itself (it does on TPU pods, Slurm, Open MPI and Kubernetes); or "
    "SYMMFLOW_COORDINATOR.",
)
_NUM_PROCESSES = flags.DEFINE_string(
    "num_processes",
    None,
    "Number of processes of the run; 1 for a host alone, whatever JAX finds; or "
    "SYMMFLOW_NUM_PROCESSES.",
)
_PROCESS_ID = flags.DEFINE_string(
    "process_id", None, "Number of this process, from 0; or SYMMFLOW_PROCESS_ID."
)
_STARTUP_TIMEOUT = flags.DEFINE_string(
    "startup_timeout",
    None,
    "Seconds in which all processes must have started, 300 by default; or "
    "SYMMFLOW_STARTUP_TIMEOUT.",
)


def join(watch: Watch, only_one: str, leaves: bool) -> Session | None:
    """Connects this process with the others of its run.

    Args:
        watch: receives the signals.
        only_one: name of a command that takes one process only; empty for another one.
        leaves: tells if a process alone may be ended by a signal in the stages of the command.

    Returns:
        the session; None for a process alone that signals end as they end any program.

    Raises:
        ValueError: if flags, variables or the cluster say something wrong.
    """
    given = {
        "coordinator": _COORDINATOR.value,
        "num_processes": _NUM_PROCESSES.value,
        "process_id": _PROCESS_ID.value,
        "startup_timeout": _STARTUP_TIMEOUT.value,
    }
    found = settings.of_process(given)
    if found is None and leaves:
        return sessions.start_alone(watch)
    if found is None:
        watch.close()
        return None
    if only_one:
        raise ValueError(
            f"{only_one} runs in one process, not in {found.num_processes}; start it on one "
            "host, with --num_processes=1 and without --coordinator."
        )
    return sessions.start(found, watch)


def check_same(values: dict[str, Any]) -> None:
    """Raises a ValueError in a process whose config is not that of process 0."""
    session = sessions.current()
    if session is None or session.num_processes == 1:
        return
    # Imported here so that its slow import does not delay --help.
    from flax import traverse_util

    flat = traverse_util.flatten_dict(values, sep=".")
    first = session.exchange("config", flat)[0]
    for key in flat.keys() - _OF_A_HOST:
        if files.as_json(flat[key]) != files.as_json(first.get(key)):
            raise ValueError(
                f"config.{key} is {shown_value(flat[key])} here, and {shown_value(first.get(key))} "
                "in process 0; give all processes the same config and overrides."
            )
