"""What the hosts get: the script that runs at their start, the code and the command."""

import pathlib
import shlex

from tpu_pod.options import ROOT, Options
from tpu_pod.shell import Command, quoted

_PARTS = ("symmflow_jax", "configs", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")
# A run needs minutes to save and to leave before its machine is taken.
_SECONDS_TO_LEAVE = 300


def startup_script(options: Options, delete: list[Command]) -> str:
    """host.sh with its values; `delete` are the commands that delete the pod."""
    limit = options.flex_seconds or options.limit_seconds
    values = {
        "NAME": options.name,
        "BUCKET": options.bucket.removeprefix("gs://"),
        "HOSTS": options.hosts,
        "LIMIT_SECONDS": limit - _SECONDS_TO_LEAVE if limit else 0,
        "DELETE_WHEN_DONE": str(options.delete_when_done).lower(),
        "DELETE": "; ".join(map(quoted, delete)),
    }
    lines = (pathlib.Path(__file__).with_name("host.sh")).read_text(encoding="utf-8").splitlines()
    assigned = [f"{key}={shlex.quote(str(value))}" for key, value in values.items()]
    return "\n".join([lines[0], *assigned, *lines[1:]]) + "\n"


def command_script(options: Options) -> str:
    """The program's command, for every host."""
    command = ["/opt/symmflow/venv/bin/python", "-m", "symmflow_jax.main", *options.arguments]
    return f"exec {quoted(command)}\n"


def pack(archive: pathlib.Path) -> Command:
    """Packs what a run needs; results of other runs, below runs/, would be in the way."""
    return [
        *("tar", "--create", "--gzip", f"--file={archive}", "--exclude=__pycache__"),
        *(f"--directory={ROOT}", *_PARTS),
    ]


def follow_command() -> str:
    """A line of shell that shows the log of a host until its run is over."""
    return (
        "sudo journalctl --follow --lines=100 --output=cat --unit=symmflow "
        "--unit=google-startup-scripts & trap 'sudo kill $!' EXIT; "
        "until test -e /opt/symmflow/over; do sleep 5; done; sleep 2"
    )


def restart_command() -> str:
    """A line of shell that stops the run of a host, fetches code and command, and starts it."""
    return "sudo bash /opt/symmflow/host.sh"
