"""Clusters that JAX knows: TPU metadata, Slurm, Open MPI and Kubernetes."""

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

_TASKS_OF_HOST = (
    "SLURM_STEP_TASKS_PER_NODE",
    "SLURM_TASKS_PER_NODE",
    "SLURM_NTASKS_PER_NODE",
    "OMPI_COMM_WORLD_LOCAL_SIZE",
)


class Detected(NamedTuple):
    """This process in a cluster.

    Attributes:
        coordinator: host and port of process 0.
        num_processes: number of processes.
        process_id: number of this one.
        local_device_ids: the accelerators of its host that it uses; None for all of them.
    """

    coordinator: str
    num_processes: int
    process_id: int
    local_device_ids: Sequence[int] | None


def detect(timeout: float) -> Detected | None:
    """This process in the cluster that JAX detects; None outside of one, or if it is alone.

    A host alone takes no time. On a TPU's virtual machine, its metadata server is asked.

    Args:
        timeout: seconds to wait for the name of the coordinator to be known.

    Raises:
        ValueError: if there is a cluster, but its values cannot be read.
    """
    if is_single_task(os.environ):
        return None
    # `jax.distributed.initialize` without arguments does the same, but it does not tell that
    # nothing was found (except by the text of an error), and sets up a service for a single process
    # too. Imported here so that the slow import of JAX delays no --help.
    from jax._src import clusters

    kinds = clusters.ClusterEnv._cluster_types  # noqa: SLF001
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = [k for k in kinds if not k.opt_in_only_method and k.is_env_present()]
        if not found:
            _check_kubernetes(os.environ, [str(warning.message) for warning in caught])
            return None
        cluster = found[0]
        count = cluster.get_process_count()
        if count == 1:
            return None
        port = os.environ.get("JAX_COORDINATOR_PORT")
        return Detected(
            cluster.get_coordinator_address(round(timeout), port),
            count,
            cluster.get_process_id(),
            _local_devices(cluster.get_local_process_id()),
        )
    except Exception as error:
        text = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(
            f"JAX finds a cluster here, but not its processes ({text}); give --coordinator, "
            "--num_processes and --process_id, with --num_processes=1 for a host alone."
        ) from error


def is_single_task(environment: Mapping[str, str]) -> bool:
    """True for a task of Slurm or Open MPI that is the only one, or a Pod of no indexed Job."""
    counts = [environment.get(key) for key in ("SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE")]
    if "1" in counts:
        return True
    in_pod = "KUBERNETES_SERVICE_HOST" in environment
    of_tpu = "TPU_WORKER_HOSTNAMES" in environment or "TPU_PROCESS_ADDRESSES" in environment
    return in_pod and not of_tpu and "JOB_COMPLETION_INDEX" not in environment


def _check_kubernetes(environment: Mapping[str, str], warned: Sequence[str]) -> None:
    """Raises ImportError for an indexed Job that JAX cannot read for want of a package."""
    if "JOB_COMPLETION_INDEX" in environment and warned:
        raise ImportError("the package kubernetes is not installed: pip install kubernetes")


def _local_devices(local_id: int | None) -> Sequence[int] | None:
    """The accelerators of a process: those of its host if it is there alone, or one of them."""
    listed = os.environ.get("JAX_LOCAL_DEVICE_IDS")
    if local_id is None or listed:
        return [int(number) for number in listed.split(",")] if listed else None
    tasks = next((os.environ[key] for key in _TASKS_OF_HOST if os.environ.get(key)), "")
    # Slurm writes "1(x4)" for four hosts with one task each.
    alone = tasks == "1" or (tasks.startswith("1(x") and "," not in tasks)
    return None if alone else [local_id]
