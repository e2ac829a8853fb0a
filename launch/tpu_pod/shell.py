"""Runs commands, or prints them as a shell would take them."""

import shlex
import subprocess
import sys
import time
from collections.abc import Sequence

from tpu_pod.errors import CommandError

Command = Sequence[str]


def quoted(command: Command) -> str:
    """The command as a line for a shell."""
    return shlex.join(command)


def write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def report(line: str) -> None:
    """A line of progress, with the time."""
    write(f"{time.strftime('%H:%M:%S')}  {line}")


def run(command: Command) -> str:
    """Runs a command and returns what it wrote to stdout.

    Raises:
        CommandError: if it fails; the text has what it wrote to stderr.
    """
    result = subprocess.run(command, capture_output=True, encoding="utf-8")
    if result.returncode:
        said = " ".join(result.stderr.split()) or f"exit status {result.returncode}"
        raise CommandError(f"{quoted(command[:5])} ... failed: {said}")
    return result.stdout


def attempt(command: Command) -> str:
    """Like `run`, but a failure counts as no answer, as for what is not there."""
    try:
        return run(command)
    except CommandError:
        return ""


def show(command: Command) -> int:
    """Runs a command whose output goes to the terminal; returns its exit status."""
    return subprocess.run(command).returncode
