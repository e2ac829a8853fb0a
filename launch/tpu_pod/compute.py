"""Pods as instances of Compute Engine, or as a managed instance group with a workload policy."""

from tpu_pod import shell
from tpu_pod.accelerators import IMAGE_PROJECT
from tpu_pod.options import Options
from tpu_pod.shell import Command
from tpu_pod.state import Stage, State

_COMPUTE = ("gcloud", "compute")
_GROUPS = (*_COMPUTE, "instance-groups", "managed")
_GONE = {"STOPPING", "STOPPED", "TERMINATED", "SUSPENDING", "SUSPENDED"}
_LABEL = "symmflow-pod"


class ComputeEngine:
    """One instance, or a group of them that is one slice; see `way.Way`."""

    def __init__(self, options: Options):
        self._options = options
        self._is_group = bool(options.accelerator.topology)
        self._region = options.zone.rpartition("-")[0]

    @property
    def may_vanish(self) -> bool:
        return self._options.spot and bool(self._options.limit_seconds)

    def create(self, startup_script: str) -> list[Command]:
        options = self._options
        machine = [
            f"--machine-type={options.accelerator.machine_type}",
            f"--image-family={options.image or options.accelerator.image_family}",
            f"--image-project={IMAGE_PROJECT}",
            "--boot-disk-size=200GB",  # The image's own 10 GB have no room for jaxlib and a run.
            "--maintenance-policy=TERMINATE",  # TPUs cannot move to another machine.
            "--scopes=cloud-platform",
            *([f"--service-account={options.service_account}"] * bool(options.service_account)),
            *self._price(),
            f"--labels={_LABEL}={options.name}",
            f"--metadata-from-file=startup-script={startup_script}",
            *options.create_flags,
        ]
        if not self._is_group:
            create = [*_COMPUTE, "instances", "create", options.name, *options.where, *machine]
            return [[*create, "--quiet"]]
        return self._create_group(machine)

    def _create_group(self, machine: list[str]) -> list[Command]:
        options = self._options
        project, region = f"--project={options.project}", f"--region={self._region}"
        place = f"projects/{options.project}/regions/{self._region}"
        return [
            [
                *(*_COMPUTE, "resource-policies", "create", "workload-policy", options.name),
                *(project, region, "--type=HIGH_THROUGHPUT"),
                f"--accelerator-topology={options.accelerator.topology}",
                "--accelerator-topology-mode=AUTO_CONNECT",
                "--quiet",
            ],
            [
                *(*_COMPUTE, "instance-templates", "create", options.name, project),
                f"--instance-template-region={self._region}",
                *machine,
                "--quiet",
            ],
            # A slice is made at once (bulk) and as a whole: a single new host would not join it.
            [
                *(*_GROUPS, "create", options.name, *options.where),
                f"--template={place}/instanceTemplates/{options.name}",
                f"--size={options.hosts}",
                "--target-size-policy-mode=bulk",
                f"--workload-policy={place}/resourcePolicies/{options.name}",
                "--default-action-on-vm-failure=do-nothing",
                "--quiet",
            ],
        ]

    def _price(self) -> list[str]:
        options = self._options
        seconds = options.flex_seconds or options.limit_seconds
        model = "FLEX_START" if options.flex_seconds else "SPOT" if options.spot else ""
        # A preempted instance that stays, stopped, can be told from one that was never made.
        action = "DELETE" if seconds else "STOP" if options.spot else ""
        return [
            *([f"--provisioning-model={model}"] * bool(model)),
            *([f"--max-run-duration={seconds}s"] * bool(seconds)),
            *([f"--instance-termination-action={action}"] * bool(action)),
        ]

    def _list(self, value: str) -> Command:
        options = self._options
        return [
            *(*_COMPUTE, "instances", "list", f"--zones={options.zone}"),
            *([f"--project={options.project}"] * bool(options.project)),
            f"--filter=labels.{_LABEL}={options.name}",
            f"--format=value({value})",
        ]

    def looks(self) -> list[Command]:
        options = self._options
        groups = [
            *(*_GROUPS, "list", f"--zones={options.zone}"),
            *([f"--project={options.project}"] * bool(options.project)),
            f"--filter=name={options.name}",
            "--format=value(name)",
        ]
        return [self._list("status"), *([groups] if self._is_group else [])]

    def state(self) -> State:
        listing, *groups = self.looks()
        statuses = shell.run(listing).split()
        if gone := _GONE & set(statuses):
            return State(Stage.LOST, min(gone))
        if not statuses and not any(shell.run(command).strip() for command in groups):
            return State(Stage.ABSENT, "not there")
        running = statuses.count("RUNNING")
        if running == len(statuses) == self._options.hosts:
            return State(Stage.ACTIVE, "RUNNING")
        return State(Stage.WAITING, f"{running} of {self._options.hosts} hosts RUNNING")

    def delete(self) -> list[Command]:
        options = self._options
        if not self._is_group:
            return [[*_COMPUTE, "instances", "delete", options.name, *options.where, "--quiet"]]
        group = [*_GROUPS, "delete", options.name, *options.where, "--quiet"]
        return [group, *self.leftovers()]

    def leftovers(self) -> list[Command]:
        options = self._options
        if not self._is_group:
            return []
        place = [f"--project={options.project}", f"--region={self._region}", "--quiet"]
        return [
            [*_COMPUTE, "instance-templates", "delete", options.name, *place],
            [*_COMPUTE, "resource-policies", "delete", options.name, *place],
        ]

    def on_hosts(self, command: str, *, first: bool) -> list[Command]:
        names = self._names(first) if self._is_group else [self._options.name]
        return [
            [
                *(*_COMPUTE, "ssh", name, *self._options.where),
                "--ssh-flag=-o ServerAliveInterval=30",
                f"--command={command}",
            ]
            for name in names
        ]

    def _names(self, first: bool) -> list[str]:
        """The names of a group's hosts, which end in letters by chance; first, that of worker 0."""
        if self._options.dry_run:
            return ["INSTANCE"]
        zero = ["gcloud", "storage", "cat", f"{self._options.folder}/first-host"]
        if first and (name := shell.attempt(zero).strip()):
            return [name]
        names = sorted(shell.run(self._list("name")).split())
        return names[:1] if first else names
