"""A queue of jobs and the one thread that works on them, so that they share no device.

A job may be cancelled while it waits, and between its stages: where its task calls `Progress`. A
solver's steps are one compiled program, which is not stopped on the way.
"""

import collections
import dataclasses
import enum
import http
import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from symmflow_jax.runtime.errors import first_line
from symmflow_jax.studio.refusal import Refusal

_logger = logging.getLogger(__name__)

MOST_WAITING = 200
"""Jobs of all people that wait."""

MOST_WAITING_OF_ONE = 8
"""Jobs of one session that wait."""

_MOST_ENDED = 400
"""Jobs that are remembered after their end."""

_SECONDS_TO_CLOSE = 5.0


class State(enum.Enum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def has_ended(self) -> bool:
        """True if nothing more happens to the job."""
        return self not in (State.WAITING, State.RUNNING)


class Cancelled(Exception):
    """The job is to be cancelled; raised in its task by `Progress`."""


class Progress:
    """What a task tells of itself while it runs.

    Attributes:
        share: the share of the work that is done, in [0, 1].
        text: what is being done.
        seconds: how long this stage is expected to take; None if that is not known.
        since: the time of `time.monotonic` when this stage began.
    """

    def __init__(self) -> None:
        self.share, self.text = 0.0, ""
        self.seconds: float | None = None
        self.since = time.monotonic()
        self._stop = threading.Event()

    def __call__(self, share: float, text: str, seconds: float | None = None) -> None:
        """Says that a stage begins.

        Args:
            share: the share of the work that lies behind.
            text: what the stage does.
            seconds: how long it is expected to take.

        Raises:
            Cancelled: if the job is to be cancelled.
        """
        if self._stop.is_set():
            raise Cancelled
        self.share, self.text, self.seconds = share, text, seconds
        self.since = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since this stage began."""
        return time.monotonic() - self.since

    def stop(self) -> None:
        """Lets the next call raise `Cancelled`."""
        self._stop.set()


Task = Callable[[Progress], Any]
"""The work of a job, which runs in the thread of the queue; it returns the result."""


@dataclasses.dataclass(eq=False)
class Job:
    """A piece of work.

    Attributes:
        owner: the session that it belongs to.
        task: the work.
        is_live: True if a later live job of the owner takes its place.
        id: a name that cannot be guessed.
        state: where it stands.
        message: why it has failed or was cancelled.
        result: what the task has returned.
        progress: what the task tells of itself.
    """

    owner: str
    task: Task
    is_live: bool = False
    id: str = dataclasses.field(default_factory=lambda: secrets.token_urlsafe(12))
    state: State = State.WAITING
    message: str = ""
    result: Any = None
    progress: Progress = dataclasses.field(default_factory=Progress)


class Queue:
    """Jobs in the order in which they came; `start` begins the work on them."""

    def __init__(self) -> None:
        self._jobs: collections.OrderedDict[str, Job] = collections.OrderedDict()
        self._waiting: collections.deque[Job] = collections.deque()
        self._changed = threading.Condition()
        self._is_open = True
        self._thread = threading.Thread(target=self._work, daemon=True, name="studio")

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def close(self) -> None:
        """Cancels all jobs; waits a moment for the one that runs."""
        with self._changed:
            self._is_open = False
            for job in list(self._jobs.values()):
                self._cancel(job, "The server has ended.")
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(_SECONDS_TO_CLOSE)

    def submit(self, job: Job) -> Job:
        """Puts a job behind the others. A live job takes the place of an earlier one of its owner.

        Raises:
            Refusal: if too many jobs wait.
        """
        with self._changed:
            if job.is_live:
                self._drop_live(job.owner)
            own = sum(other.owner == job.owner for other in self._waiting)
            if own >= MOST_WAITING_OF_ONE or len(self._waiting) >= MOST_WAITING:
                whose = f"{own} of your" if own >= MOST_WAITING_OF_ONE else "Too many"
                raise Refusal(
                    f"{whose} jobs are waiting; wait for one to end, or cancel one.",
                    http.HTTPStatus.TOO_MANY_REQUESTS,
                )
            self._jobs[job.id] = job
            self._waiting.append(job)
            self._forget_ended()
            self._changed.notify_all()
        return job

    def find(self, job_id: str, owner: str) -> Job:
        """A job of a session.

        Raises:
            Refusal: if the session has no such job (any more).
        """
        with self._changed:
            job = self._jobs.get(job_id)
        if job is None or job.owner != owner:
            raise Refusal("There is no such job (any more).", http.HTTPStatus.NOT_FOUND)
        return job

    def cancel(self, job: Job) -> None:
        """Cancels a job that waits at once, and one that runs at its next stage."""
        with self._changed:
            self._cancel(job, "Cancelled.")

    def num_before(self, job: Job) -> int:
        """The number of jobs that come before one that waits, the running one included."""
        with self._changed:
            if job not in self._waiting:
                return 0
            runs = any(other.state is State.RUNNING for other in self._jobs.values())
            return self._waiting.index(job) + runs

    def has_work(self, owner: str) -> bool:
        """True if a job of a session waits or runs."""
        with self._changed:
            return any(
                job.owner == owner and not job.state.has_ended for job in self._jobs.values()
            )

    def _drop_live(self, owner: str) -> None:
        for job in list(self._jobs.values()):
            if job.owner == owner and job.is_live:
                self._cancel(job, "A later change has taken its place.")

    def _cancel(self, job: Job, message: str) -> None:
        if job.state is State.WAITING:
            self._waiting.remove(job)
            job.state, job.message = State.CANCELLED, message
        elif job.state is State.RUNNING:
            job.message = message
            job.progress.stop()

    def _forget_ended(self) -> None:
        ended = [job_id for job_id, job in self._jobs.items() if job.state.has_ended]
        for job_id in ended[: max(0, len(ended) - _MOST_ENDED)]:
            del self._jobs[job_id]

    def _work(self) -> None:
        while True:
            with self._changed:
                while self._is_open and not self._waiting:
                    self._changed.wait()
                if not self._is_open:
                    return
                job = self._waiting.popleft()
                job.state = State.RUNNING
            state, message = _run(job)
            with self._changed:
                # A message of before says who has cancelled it.
                job.state = state
                job.message = message or (job.message if state is State.CANCELLED else "")


def _run(job: Job) -> tuple[State, str]:
    """Runs the task of a job; returns its state and why it failed."""
    try:
        job.result = job.task(job.progress)
    except Cancelled:
        return State.CANCELLED, ""
    except (ValueError, ArithmeticError) as error:
        return State.FAILED, first_line(error)
    except MemoryError:
        return State.FAILED, "The memory is not enough; take a smaller photo."
    except Exception as error:  # One job must not end the others.
        _logger.exception("A job of the studio has failed.")
        return State.FAILED, f"The work failed: {first_line(error)}"
    return State.DONE, ""
