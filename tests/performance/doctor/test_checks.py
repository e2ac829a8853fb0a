"""What each check finds wrong, and its remedy."""

import shutil

import pytest

from symmflow_jax.performance.doctor import checks
from symmflow_jax.performance.doctor.checks import CHECKS, Subject
from symmflow_jax.runtime.cluster import session


@pytest.fixture
def subject(tiny_experiment, tmp_path):
    return Subject(tiny_experiment(), tmp_path / "run")


@pytest.fixture
def first(monkeypatch):
    """A function that sets what process 0 answers to this one, which is process 1."""

    def put(**answers) -> None:
        names = {name.replace("_", " "): value for name, value in answers.items()}
        monkeypatch.setattr(session, "exchange", lambda name, own: [names.get(name, own), own])

    return put


@pytest.mark.parametrize("name", CHECKS)
def test_nothing_is_wrong_here(subject, name):
    finding = CHECKS[name](subject)
    assert finding.lines and not finding.problem
    assert not subject.workdir.exists()


def test_other_versions_are_named(subject, first):
    first(versions={"python": "3.9.1", "libtpu": "0.1"})
    problem = checks.versions(subject).problem
    assert "python 3." in problem and "(process 0: 3.9.1)" in problem
    assert "libtpu missing (process 0: 0.1)" in problem and "the same everywhere" in problem


def test_other_data_is_named(subject, first):
    own = subject.experiment.evaluation_provenance()["digest"]
    first(data={"training": "0123456789abcdef", "evaluation": own})
    problem = checks.data(subject).problem
    assert problem.startswith("training data is not that of process 0")
    assert "copy the same files to all hosts" in problem


def test_other_devices_are_named(subject, first):
    first(platform=["gpu", ["H100"]])
    assert "other devices than process 0 (['gpu', ['H100']])" in checks.devices(subject).problem


def test_fewer_devices_are_named(subject, first):
    first(hosts=["host", 1, 8])
    assert checks.hosts(subject).problem.startswith("process 1 of 2 has fewer devices than others")


def test_a_full_disk_is_named(subject, monkeypatch):
    usage = shutil._ntuple_diskusage(10**10, 10**10 - 5 * 10**6, 5 * 10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert "has 5 MB left; free space there" in checks.memory(subject).problem


def test_a_folder_that_is_a_file_is_named(subject):
    subject.workdir.write_text("")
    assert (
        "cannot be a folder" in checks.workdir(subject).problem or checks.workdir(subject).problem
    )


def test_an_accelerator_that_is_not_used_is_named(monkeypatch):
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    monkeypatch.setattr(checks.pathlib.Path, "glob", lambda path, pattern: iter(["/dev/accel0"]))
    assert "has a TPU, but JAX uses the CPU; pip install" in checks._unused_accelerator("cpu")
    assert checks._unused_accelerator("tpu") == ""
