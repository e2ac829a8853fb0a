"""`launch/tpu_pod.sh`."""

import sys

from tpu_pod import shell
from tpu_pod.errors import PodError, UsageError
from tpu_pod.launcher import Launcher
from tpu_pod.options import Options, parsed
from tpu_pod.state import Outcome
from tpu_pod.way import way


def main(words: list[str]) -> int:
    """Runs the launcher; returns its exit status."""
    try:
        options = parsed(words)
    except UsageError as error:
        sys.stderr.write(f"tpu_pod.sh: {error} (--help explains)\n")
        return 2
    launcher = Launcher(options, way(options))
    try:
        return _act(options, launcher)
    except PodError as error:
        sys.stderr.write(f"tpu_pod.sh: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(
            f"\ntpu_pod.sh: {options.name} goes on, and costs. The same command watches it again; "
            "with --delete it ends.\n"
        )
        return 130


def _act(options: Options, launcher: Launcher) -> int:
    if options.dry_run:
        launcher.show()
        return 0
    if options.delete:
        launcher.delete()
        return 0
    report = launcher.launch()
    match report.outcome:
        case Outcome.DONE:
            shell.report(f"{options.name}: the run is done (--restart does it again)")
            if not options.delete_when_done:
                shell.report(f"{options.name}: if its pod is still there, --delete ends its costs")
            return 0
        case Outcome.LIMIT:
            shell.report(f"{options.name}: its time is over; the same command goes on")
            return 0
        case _:
            kept = (
                "" if options.delete_when_done else " The pod is still there and costs: --delete."
            )
            raise PodError(
                f"the run {report.text}; its log is in {options.folder}/log. With the mistake "
                f"mended, the same command starts it again.{kept}"
            )
