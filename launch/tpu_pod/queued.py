"""Pods as queued resources of the Cloud TPU API.

Google fixes bugs of this API and develops it no further, but v4 and v5e have no other way.
"""

import json

from tpu_pod import shell
from tpu_pod.errors import CommandError, PodError
from tpu_pod.options import Options
from tpu_pod.shell import Command
from tpu_pod.state import Stage, State

_QUEUED = ("gcloud", "compute", "tpus", "queued-resources")

_STAGES = {
    "CREATING": Stage.WAITING,
    "ACCEPTED": Stage.WAITING,  # The older name of the next one.
    "WAITING_FOR_RESOURCES": Stage.WAITING,
    "PROVISIONING": Stage.WAITING,
    "ACTIVE": Stage.ACTIVE,
    "SUSPENDING": Stage.LEAVING,
    "DELETING": Stage.LEAVING,
    "SUSPENDED": Stage.LOST,
    "FAILED": Stage.FAILED,
}
# A slice can be gone while its request is still ACTIVE.
_GONE = {"PREEMPTED", "TERMINATED", "STOPPED"}


class QueuedResource:
    """A request in the queue and its slices; see `way.Way`."""

    def __init__(self, options: Options):
        self._options = options

    @property
    def may_vanish(self) -> bool:
        return False

    def create(self, startup_script: str) -> list[Command]:
        options = self._options
        nodes = (
            [f"--node-id={options.name}"]
            if options.slices == 1
            else [f"--node-count={options.slices}", f"--node-prefix={options.name}"]
        )
        # Flex-start is in the alpha commands alone, in the documentation too.
        program = [*_QUEUED[:1], *(["alpha"] if options.flex_seconds else []), *_QUEUED[1:]]
        return [
            [
                *program,
                "create",
                options.name,
                *options.where,
                *nodes,
                f"--accelerator-type={options.accelerator.name}",
                f"--runtime-version={options.image or options.accelerator.runtime_version}",
                *self._price(),
                *([f"--service-account={options.service_account}"] * bool(options.service_account)),
                f"--metadata-from-file=startup-script={startup_script}",
                *options.create_flags,
                "--quiet",
            ]
        ]

    def _price(self) -> list[str]:
        options = self._options
        if options.flex_seconds:
            return [
                "--provisioning-model=flex-start",
                f"--max-run-duration={options.flex_seconds // 3_600}h",
            ]
        return ["--spot"] if options.spot else []

    def looks(self) -> list[Command]:
        options = self._options
        return [
            [*_QUEUED, "describe", options.name, *options.where, "--format=json"],
            [
                *("gcloud", "compute", "tpus", "tpu-vm", "list"),
                *options.where,
                f"--filter=name~(^|/){options.name}(-[0-9]+)?$",
                "--format=value(state)",
            ],
        ]

    def state(self) -> State:
        describe, nodes = self.looks()
        try:
            answer = json.loads(shell.run(describe))
        except CommandError as error:
            if "NOT_FOUND" in str(error) or "not found" in str(error):
                return State(Stage.ABSENT, "not there")
            raise
        name = answer.get("state", {}).get("state", "")
        if name not in _STAGES:
            raise PodError(f"queued resource {self._options.name} is in the unknown state {name!r}")
        if name == "FAILED":
            failure = answer["state"].get("failedData", {}).get("error", {})
            return State(Stage.FAILED, name, failure.get("message", ""))
        if name == "ACTIVE" and (gone := _GONE & set(shell.attempt(nodes).split())):
            return State(Stage.LOST, min(gone))
        return State(_STAGES[name], name)

    def delete(self) -> list[Command]:
        return [
            [*_QUEUED, "delete", self._options.name, *self._options.where, "--force", "--quiet"]
        ]

    def leftovers(self) -> list[Command]:
        return []

    def on_hosts(self, command: str, *, first: bool) -> list[Command]:
        which = [] if first else ["--worker=all", "--node=all"]
        return [
            [
                *(*_QUEUED, "ssh", self._options.name, *self._options.where, *which),
                "--ssh-flag=-o ServerAliveInterval=30",
                f"--command={command}",
            ]
        ]
