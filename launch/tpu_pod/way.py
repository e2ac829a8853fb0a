"""The two ways to a pod."""

from typing import Protocol

from tpu_pod.compute import ComputeEngine
from tpu_pod.options import Options
from tpu_pod.queued import QueuedResource
from tpu_pod.shell import Command
from tpu_pod.state import State


class Way(Protocol):
    """How a service makes, shows, reaches and deletes a pod. Lists are commands in order."""

    @property
    def may_vanish(self) -> bool:
        """Whether a preempted pod leaves nothing, as one that was deleted."""
        ...

    def create(self, startup_script: str) -> list[Command]:
        """Asks for the pod; its hosts run the script, a file, at every start."""
        ...

    def looks(self) -> list[Command]:
        """The commands that `state` runs."""
        ...

    def state(self) -> State:
        """Looks at the pod.

        Raises:
            CommandError: if gcloud has no answer.
        """
        ...

    def delete(self) -> list[Command]:
        """Deletes the pod. A part may be gone already."""
        ...

    def leftovers(self) -> list[Command]:
        """Deletes what stays when hosts delete their pod themselves, and costs nothing."""
        ...

    def on_hosts(self, command: str, *, first: bool) -> list[Command]:
        """Runs a line of shell on all hosts, or on the first."""
        ...


def way(options: Options) -> Way:
    return QueuedResource(options) if options.uses_queue else ComputeEngine(options)
