"""The command line of the launcher."""

import argparse
import dataclasses
import pathlib
import re

from tpu_pod import bucket as buckets
from tpu_pod.accelerators import Accelerator, accelerator
from tpu_pod.errors import UsageError

ROOT = pathlib.Path(__file__).parents[2]
"""The checkout."""

_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_LONGEST_FLEX_HOURS = 7 * 24

_USAGE = """\
Runs symmflow_jax.main on a TPU slice or pod of Google Cloud: asks for it, waits until it is there,
starts the run on all hosts and watches it. A preempted pod is deleted and asked for again, and the
run goes on where it was saved. After Ctrl-C or with the laptop closed, the run goes on; the same
command watches again. docs/pods.md leads from nothing to a running pod.

Usage: launch/tpu_pod.sh --name=NAME --zone=ZONE --type=TYPE --bucket=gs://BUCKET --config=CONFIG
                         [OPTION...] [ARGUMENT...]
"""

_EPILOG = """\
  ARGUMENT    any other argument is passed on to symmflow_jax.main, for instance
              --config.train.batch_size=128 or --mode=doctor; paths in the bucket, such as
              --config.data.dir=gs://BUCKET/coco, become paths below its mount on the hosts.
              The default of --workdir is gs://BUCKET/runs/NAME. With --direct they stay gs://,
              and the program reads and writes the bucket itself (docs/buckets.md).

Cloud TPU API (queued resources): v4, v5e, v5p; v6e with --queue. Compute Engine: v6e.
"""


@dataclasses.dataclass(frozen=True)
class Options:
    """What the user asked for.

    Attributes:
        name: name of the pod.
        zone: its zone, such as us-west4-a.
        accelerator: its slices.
        project: Google Cloud project, or "" for the setting of gcloud.
        bucket: gs://BUCKET, or "" if the pod is only to be deleted.
        arguments: arguments of the program, with paths below the mount.
        spot: whether the pod may be preempted.
        flex_seconds: seconds for flex-start, or 0.
        limit_seconds: seconds after which a pod ends, or 0.
        slices: number of slices.
        queue: whether to use the Cloud TPU API where Compute Engine is the default.
        image: runtime version or image family in place of the default, or "".
        service_account: service account of the hosts, or "".
        create_flags: further flags of the command that creates the pod or its template.
        follow: whether to show the log.
        restart: whether to stop a run that goes on and to start this one.
        delete: whether only to delete the pod.
        delete_when_done: whether to delete the pod when the run is done.
        dry_run: whether only to print the commands.
        poll_seconds: seconds between two looks.
    """

    name: str
    zone: str
    accelerator: Accelerator
    project: str
    bucket: str
    arguments: tuple[str, ...]
    spot: bool
    flex_seconds: int
    limit_seconds: int
    slices: int
    queue: bool
    image: str
    service_account: str
    create_flags: tuple[str, ...]
    follow: bool
    restart: bool
    delete: bool
    delete_when_done: bool
    dry_run: bool
    poll_seconds: float

    @property
    def where(self) -> list[str]:
        """The flags of gcloud that place every command."""
        return [f"--zone={self.zone}", *([f"--project={self.project}"] if self.project else [])]

    @property
    def folder(self) -> str:
        return buckets.folder(self.bucket, self.name)

    @property
    def hosts(self) -> int:
        """Number of hosts in all slices."""
        return self.accelerator.hosts * self.slices

    @property
    def uses_queue(self) -> bool:
        return self.queue or not self.accelerator.machine_type


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError(message)

    def format_help(self) -> str:
        formatter = self._get_formatter()
        formatter.add_arguments(self._actions)
        options = "\n".join(f"  {line}" for line in formatter.format_help().splitlines())
        return f"{_USAGE}\n{options}\n{_EPILOG}"


def parsed(words: list[str]) -> Options:
    """The options of a command line.

    Raises:
        UsageError: if they cannot be, with the remedy.
    """
    given, arguments = _parser().parse_known_args(words)
    needed = ("name", "zone", "type", *(() if given.delete else ("bucket", "config")))
    missing = [f"--{name}" for name in needed if not getattr(given, name)]
    if missing:
        raise UsageError(f"missing: {' '.join(missing)}")
    _check_name(given.name)
    bucket = buckets.checked(given.bucket) if given.bucket else ""
    options = Options(
        name=given.name,
        zone=given.zone,
        accelerator=accelerator(given.type),
        project=given.project,
        bucket=bucket,
        arguments=()
        if given.delete
        else _arguments(given.config, arguments, bucket, given.name, direct=given.direct),
        spot=given.spot,
        flex_seconds=3_600 * given.flex,
        limit_seconds=_seconds(given.max_run_duration) if given.max_run_duration else 0,
        slices=given.slices,
        queue=given.queue,
        image=given.image,
        service_account=given.service_account,
        create_flags=tuple(given.create_flag),
        follow=given.follow,
        restart=given.restart,
        delete=given.delete,
        delete_when_done=given.delete_when_done,
        dry_run=given.dry_run,
        poll_seconds=given.poll,
    )
    _check(options, given.flex)
    return options


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="tpu_pod.sh",
        allow_abbrev=False,
        formatter_class=lambda prog: argparse.RawTextHelpFormatter(
            prog, max_help_position=32, width=100
        ),
    )
    add = parser.add_argument
    add("--name", default="", help="name of the pod")
    add("--zone", default="", help="its zone, such as us-west4-a")
    add("--type", default="", help="its slices: v4-32, v5e-16, v5p-32, v6e-16 and other sizes")
    add("--bucket", default="", help="gs://BUCKET, which every host mounts: code, data, runs")
    add("--config", default="", help="config file below configs/, such as configs/coco.py")
    add("--project", default="", help="Google Cloud project; default: the setting of gcloud")
    add("--slices", type=int, default=1, help="number of slices (queued resources); default: 1")
    add("--spot", action="store_true", help="cheaper, and preempted at any time")
    add(
        "--flex",
        type=int,
        default=0,
        metavar="HOURS",
        help="flex-start: waits in a queue, then lasts so many hours, 168 at most",
    )
    add(
        "--max-run-duration",
        default="",
        metavar="TIME",
        help="save and delete the pod after this time, such as 12h, 90m or 2d",
    )
    add(
        "--delete-when-done",
        action="store_true",
        help="delete the pod after the run, failed or not",
    )
    add(
        "--direct",
        action="store_true",
        help="the program itself reads and writes gs://, not below a mount",
    )
    add("--follow", action="store_true", help="show the log of the first host")
    add("--restart", action="store_true", help="stop what runs there (it saves), then start this")
    add("--delete", action="store_true", help="delete the pod, and nothing else")
    add("--queue", action="store_true", help="v6e by a queued resource, as in older projects")
    add("--image", default="", help="runtime version or image family; default: by type")
    add(
        "--service-account",
        default="",
        metavar="EMAIL",
        help="account of the hosts; default: that of the project",
    )
    add(
        "--create-flag",
        action="append",
        default=[],
        metavar="FLAG",
        help="flag for gcloud's create, as --create-flag=--network=NET; may be repeated",
    )
    add("--poll", type=float, default=30, metavar="SECONDS", help="between looks; default: 30")
    add("--dry-run", action="store_true", help="print the commands, one per line, and run nothing")
    return parser


def _check_name(name: str) -> None:
    # The narrower rule of the two services.
    if not re.fullmatch(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", name):
        raise UsageError(
            f"--name={name} is no name of a pod; it has up to 40 small letters, digits and "
            "hyphens, and begins with a letter"
        )


def _check(options: Options, flex_hours: int) -> None:
    if options.slices < 1:
        raise UsageError(f"--slices={options.slices} is less than 1")
    if options.spot and flex_hours:
        raise UsageError("--spot and --flex are two ways to pay; give one of them")
    if not 0 <= flex_hours <= _LONGEST_FLEX_HOURS:
        raise UsageError(f"--flex={flex_hours} is not between 1 and {_LONGEST_FLEX_HOURS} hours")
    if flex_hours and options.limit_seconds:
        raise UsageError("--flex=HOURS is itself a limit; leave out --max-run-duration")
    if options.queue and not options.accelerator.machine_type:
        raise UsageError(f"--queue is for v6e; {options.accelerator.name} always uses it")
    if options.uses_queue:
        return
    if options.slices > 1:
        raise UsageError(
            f"--slices={options.slices} of {options.accelerator.name}: Compute Engine joins no "
            "slices; give --queue, or use launch/kubernetes.sh"
        )
    if options.accelerator.topology and not options.project:
        raise UsageError(
            f"missing: --project (a managed instance group of {options.accelerator.name} names "
            "its policy and template by project)"
        )


def _seconds(text: str) -> int:
    match = re.fullmatch(r"([1-9][0-9]*)([dhms])", text)
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0
    if seconds < 600:
        raise UsageError(
            f"--max-run-duration={text} is no time of at least 10 minutes, such as 12h, 90m or 2d"
        )
    return seconds


def _arguments(
    config: str, arguments: list[str], bucket: str, name: str, *, direct: bool
) -> tuple[str, ...]:
    """The program's arguments, as they are for the hosts."""
    path = pathlib.PurePosixPath(config)
    if path.is_absolute() or path.parts[:1] != ("configs",) or ".." in path.parts:
        raise UsageError(f"--config={config} is not below configs/, which is copied to the hosts")
    if not (ROOT / path).is_file():
        raise UsageError(f"--config={config} does not exist in {ROOT}")
    given = [f"--config={config}", *arguments]
    mapped = given if direct else buckets.mapped(given, bucket)
    root = bucket if direct else buckets.MOUNT
    if not any(word.split("=")[0] == "--workdir" for word in mapped):
        return (*mapped, f"--workdir={root}/runs/{name}")
    for index, word in enumerate(mapped):
        key, _, value = word.partition("=")
        place = value or (mapped[index + 1] if index + 1 < len(mapped) else "")
        start = "gs://" if direct else f"{buckets.MOUNT}/"
        if key == "--workdir" and not f"{place}/".startswith(start):
            raise UsageError(
                f"--workdir={place} is on the disk of a host, which is lost with it; give a place "
                f"in the bucket, such as {bucket}/runs/{name}"
            )
    return tuple(mapped)
