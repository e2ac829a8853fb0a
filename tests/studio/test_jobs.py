"""The queue: one job at a time, in their order, and none is lost."""

import threading

import pytest

from symmflow_jax.studio import jobs
from symmflow_jax.studio.jobs import Job, State
from symmflow_jax.studio.refusal import Refusal

_SECONDS = 10.0


class Gate:
    """A task that waits at each of its stages until it is let on."""

    def __init__(self, stages: int = 1):
        self.stages, self.passed = stages, 0
        self.reached, self.open = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, progress):
        for stage in range(self.stages):
            progress(stage / self.stages, f"stage {stage}")
            self.reached.release()
            assert self.open.acquire(timeout=_SECONDS)
            self.passed += 1
        return "made"


def _ended(queue, job) -> State:
    for _ in range(1000):
        if job.state.has_ended:
            return job.state
        threading.Event().wait(0.01)
    raise AssertionError("The job has not ended.")


def test_jobs_run_one_after_another(queue):
    order, lock = [], threading.Lock()

    def task(progress):
        assert lock.acquire(blocking=False)
        order.append(threading.current_thread().name)
        threading.Event().wait(0.001)
        lock.release()

    made = [queue.submit(Job(f"person {n}", task)) for n in range(20)]
    assert [_ended(queue, job) for job in made] == [State.DONE] * 20
    assert order == ["studio"] * 20


def test_a_job_tells_how_many_come_first_and_what_it_does(queue):
    gate = Gate()
    first = queue.submit(Job("a", gate))
    assert gate.reached.acquire(timeout=_SECONDS)
    later = [queue.submit(Job(name, lambda progress: "made")) for name in "bc"]
    assert [queue.num_before(job) for job in (first, *later)] == [0, 1, 2]
    assert (first.progress.share, first.progress.text) == (0.0, "stage 0")
    gate.open.release()
    assert _ended(queue, later[1]) is State.DONE and first.result == "made"


def test_a_running_job_is_cancelled_at_its_next_stage(queue):
    gate = Gate(stages=3)
    job = queue.submit(Job("a", gate))
    assert gate.reached.acquire(timeout=_SECONDS)
    queue.cancel(job)
    assert job.state is State.RUNNING
    gate.open.release()
    assert _ended(queue, job) is State.CANCELLED
    assert (gate.passed, job.message, job.result) == (1, "Cancelled.", None)


def test_a_waiting_job_is_cancelled_at_once(queue):
    gate = Gate()
    queue.submit(Job("a", gate))
    assert gate.reached.acquire(timeout=_SECONDS)
    job = queue.submit(Job("a", lambda progress: 1 / 0))
    queue.cancel(job)
    assert job.state is State.CANCELLED
    gate.open.release()


def test_a_live_job_takes_the_place_of_an_earlier_one(queue):
    gate = Gate(stages=2)
    running = queue.submit(Job("a", gate, is_live=True))
    assert gate.reached.acquire(timeout=_SECONDS)
    other = queue.submit(Job("b", lambda progress: "b", is_live=True))
    waiting = queue.submit(Job("a", lambda progress: "old", is_live=True))
    newest = queue.submit(Job("a", lambda progress: "new", is_live=True))
    assert waiting.state is State.CANCELLED and "later change" in waiting.message
    gate.open.release()
    assert _ended(queue, newest) is State.DONE and newest.result == "new"
    assert running.state is State.CANCELLED and other.result == "b"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (Refusal("The mask is wrong."), "The mask is wrong."),
        (MemoryError(), "The memory is not enough"),
        (RuntimeError("no\nmore"), "The work failed: no"),
    ],
)
def test_a_job_that_fails_says_why_and_the_next_one_runs(queue, error, message):
    def fail(progress):
        raise error

    failed, good = queue.submit(Job("a", fail)), queue.submit(Job("a", lambda progress: 1))
    assert _ended(queue, good) is State.DONE
    assert failed.state is State.FAILED and failed.message.startswith(message)


def test_the_queue_is_bounded(queue, monkeypatch):
    gate = Gate()
    queue.submit(Job("a", gate))
    assert gate.reached.acquire(timeout=_SECONDS)
    for _ in range(jobs.MOST_WAITING_OF_ONE):
        queue.submit(Job("a", lambda progress: None))
    with pytest.raises(Refusal, match="8 of your jobs are waiting"):
        queue.submit(Job("a", lambda progress: None))
    monkeypatch.setattr(jobs, "MOST_WAITING", jobs.MOST_WAITING_OF_ONE)
    with pytest.raises(Refusal, match="Too many jobs are waiting"):
        queue.submit(Job("b", lambda progress: None))
    gate.open.release()


def test_a_job_is_found_by_its_owner_alone(queue):
    job = queue.submit(Job("a", lambda progress: None))
    assert queue.find(job.id, "a") is job
    with pytest.raises(Refusal, match="no such job"):
        queue.find(job.id, "b")


def test_work_of_a_session_is_known(queue):
    gate = Gate()
    job = queue.submit(Job("a", gate))
    assert queue.has_work("a") and not queue.has_work("b")
    gate.open.release()
    _ended(queue, job)
    assert not queue.has_work("a")


def test_a_closed_queue_cancels_what_waits():
    queue = jobs.Queue()
    job = queue.submit(Job("a", lambda progress: None))
    queue.close()
    assert job.state is State.CANCELLED and job.message == "The server has ended."
