"""What a pod and its run may be doing."""

import dataclasses
import enum


class Stage(enum.Enum):
    """Where a pod is in its life."""

    ABSENT = "there is none"
    WAITING = "it waits for capacity or is being made"
    ACTIVE = "all hosts are there"
    LEAVING = "it is being taken away"
    LOST = "it was preempted or ended"
    FAILED = "the request was refused"


@dataclasses.dataclass(frozen=True)
class State:
    """A look at a pod.

    Attributes:
        stage: where it is in its life.
        text: the word of the cloud for it.
        reason: why it failed, or "".
    """

    stage: Stage
    text: str
    reason: str = ""


class Outcome(enum.Enum):
    """What the hosts have reported about the run."""

    NOTHING = "no host has reported yet"
    RUNNING = "it runs"
    DONE = "all hosts are done"
    FAILED = "it failed for good"
    LIMIT = "its time was over"


@dataclasses.dataclass(frozen=True)
class Report:
    """The reports of all hosts.

    Attributes:
        outcome: what they say together.
        text: their words.
    """

    outcome: Outcome
    text: str


def report_of(notes: str, hosts: int) -> Report:
    """Reads the notes of the hosts, one a line: running, ended N, done, failed WHY, limit."""
    lines = [line.strip() for line in notes.splitlines() if line.strip()]
    if not lines:
        return Report(Outcome.NOTHING, f"0 of {hosts} hosts have reported (--follow tells why)")
    for line in lines:
        if line.startswith("failed"):
            return Report(Outcome.FAILED, line)
    if "limit" in lines:
        return Report(Outcome.LIMIT, "limit")
    if lines.count("done") == hosts:
        return Report(Outcome.DONE, "done")
    counts = ", ".join(f"{lines.count(line)} {line}" for line in sorted(set(lines)))
    return Report(Outcome.RUNNING, f"of {hosts} hosts: {counts}")
