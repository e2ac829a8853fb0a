"""The lease of a folder in a bucket."""

import json
import threading
import time

import pytest

from symmflow_jax.runs.bucket import lease
from symmflow_jax.runs.bucket.lease import Lease, Taken
from symmflow_jax.runs.folder import Claim
from symmflow_jax.runtime.storage.place import as_path


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Leases of parts of a second."""
    monkeypatch.setattr(lease, "_SETTLING", 0.05)
    monkeypatch.setattr(lease, "_RENEWAL", 0.1)
    monkeypatch.setattr(lease, "LIFETIME", 1.0)


@pytest.fixture
def folder(bucket_servers, tmp_path):
    """An empty folder in a bucket."""
    return as_path(f"{bucket_servers('gs').scheme}://symmflow-tests/{tmp_path.name}")


def _write(folder, **values):
    text = json.dumps({"owner": "process 7 on host-b", "token": "other"} | values)
    (folder / lease.NAME).write_text(text)


def test_two_cannot_have_it(folder):
    first, second = Lease(folder), Lease(folder)
    first.take()
    with pytest.raises(Taken, match=rf"Another training is writing to {folder} \(process \d+ on "):
        second.take()
    with pytest.raises(Taken, match="Another training is writing to"), Claim(folder):
        raise AssertionError("the folder is taken")
    first.release()
    assert not (folder / lease.NAME).exists()
    with Claim(folder) as claim:
        claim.take()
        claim.check()
    assert not (folder / lease.NAME).exists()


def test_it_is_renewed(folder):
    held = Lease(folder)
    held.take()
    number = json.loads((folder / lease.NAME).read_text())["number"]
    end = time.monotonic() + 20.0
    while json.loads((folder / lease.NAME).read_text())["number"] == number:
        assert time.monotonic() < end
        time.sleep(0.05)
    held.check()
    held.release()


def test_one_that_runs_elsewhere_is_respected(folder):
    _write(folder, number=1)
    stop = threading.Event()

    def renew():
        number = 1
        while not stop.wait(0.05):
            number += 1
            _write(folder, number=number)

    other = threading.Thread(target=renew)
    other.start()
    try:
        with pytest.raises(Taken, match=r"\(process 7 on host-b\)"):
            Lease(folder).take()
    finally:
        stop.set()
        other.join()


@pytest.mark.parametrize("content", ['{"owner": "process 7 on host-b", "token": "a"}', "{", "[]"])
def test_one_that_has_run_out_is_taken_over(folder, content, caplog, monkeypatch):
    monkeypatch.setattr(lease._logger.parent, "propagate", True)
    (folder / lease.NAME).write_text(content)
    held = Lease(folder)
    held.take()
    assert "Took over" in caplog.text and "has ended without giving it back" in caplog.text
    held.release()


def test_one_of_a_process_of_this_machine_that_has_ended_is_taken_over_at_once(folder, monkeypatch):
    monkeypatch.setattr(lease, "LIFETIME", 1e6)
    process = lease._this_process()
    if process is None:
        pytest.skip("only a system with /proc knows its processes")
    _write(folder, process=[*process[:2], str(2**22 + 5), process[3]])
    held = Lease(folder)
    held.take()
    held.release()
    # The number of a process is given again.
    _write(folder, process=[*process[:3], "1"])
    held = Lease(folder)
    held.take()
    held.release()


def test_who_has_lost_it_is_told_and_leaves_it_alone(folder):
    held = Lease(folder)
    held.take()
    _write(folder)
    end = time.monotonic() + 20.0
    while not held._loss:
        assert time.monotonic() < end
        time.sleep(0.05)
    with pytest.raises(Taken, match="ran out, and process 7 on host-b has it now. Nothing more"):
        held.check()
    held.release()
    assert json.loads((folder / lease.NAME).read_text())["token"] == "other"
