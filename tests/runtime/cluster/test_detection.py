"""Clusters by their environment variables, as Slurm and others set them."""

import pytest

from symmflow_jax.runtime.cluster.detection import Detected, detect

_SLURM = {
    "SLURM_JOB_ID": "4097",
    "SLURM_STEP_NODELIST": "gpu[03-04]",
    "SLURM_NTASKS": "2",
    "SLURM_PROCID": "1",
    "SLURM_LOCALID": "0",
}


@pytest.fixture
def environment(monkeypatch):
    """A function that sets variables."""
    for name in ("KUBERNETES_SERVICE_HOST", "JOB_COMPLETION_INDEX", "JAX_LOCAL_DEVICE_IDS"):
        monkeypatch.delenv(name, raising=False)

    def put(values: dict[str, str]) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return put


def test_nothing_is_found_on_a_host_alone(environment):
    assert detect(1.0) is None


@pytest.mark.parametrize(
    ("tasks", "devices"), [("1(x2)", None), ("8(x2)", [0]), ("1,8", [0]), ("", [0])]
)
def test_slurm_says_processes_and_devices(environment, tasks, devices):
    """One task of a host has all of its devices, each of several has one."""
    environment(_SLURM | {"SLURM_STEP_TASKS_PER_NODE": tasks})
    # JAX takes a port above 61440 by the number of the job.
    assert detect(1.0) == Detected("gpu03:61441", 2, 1, devices)


def test_a_single_task_is_a_host_alone(environment):
    environment(_SLURM | {"SLURM_NTASKS": "1"})
    assert detect(1.0) is None


def test_open_mpi(environment):
    environment(
        {
            "OMPI_MCA_orte_hnp_uri": "1531576320.0;tcp://10.96.0.1,10.148.0.1:34911",
            "OMPI_COMM_WORLD_SIZE": "4",
            "OMPI_COMM_WORLD_RANK": "3",
            "OMPI_COMM_WORLD_LOCAL_RANK": "1",
            "OMPI_COMM_WORLD_LOCAL_SIZE": "2",
        }
    )
    found = detect(1.0)
    assert found.coordinator.startswith("10.96.0.1:")
    assert (found.num_processes, found.process_id, found.local_device_ids) == (4, 3, [1])


def test_a_pod_of_no_job_is_a_host_alone(environment):
    environment({"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
    assert detect(1.0) is None


def test_a_cluster_that_cannot_be_read_names_the_flags(environment):
    environment({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "JOB_COMPLETION_INDEX": "0"})
    message = r"not its processes \(.+\); give --coordinator, --num_processes and --process_id"
    with pytest.raises(ValueError, match=message):
        detect(1.0)
    environment(_SLURM | {"SLURM_PROCID": "first"})
    with pytest.raises(ValueError, match="invalid literal"):
        detect(1.0)
