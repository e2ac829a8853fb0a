"""The bucket that all hosts of a pod mount, and what the launcher keeps in it."""

import re

from tpu_pod.errors import UsageError

MOUNT = "/mnt/symmflow"
"""Folder of a host where the bucket is mounted; host.sh has it too."""

_ELSEWHERE = re.compile(r"\b(gs|s3)://")


def checked(text: str) -> str:
    """The value of `--bucket`, as gs://NAME.

    Raises:
        UsageError: if it is no bucket, or a folder of one.
    """
    name = text.removeprefix("gs://").rstrip("/")
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]+", name):
        raise UsageError(f"--bucket={text} is no bucket; give its name alone, as gs://NAME")
    return f"gs://{name}"


def folder(bucket: str, name: str) -> str:
    """The folder of a pod: its code, its command, and what its hosts report."""
    return f"{bucket}/pods/{name}"


def mapped(arguments: list[str], bucket: str) -> list[str]:
    """Arguments of the program, with paths in the bucket as paths below the mount.

    The program reads the mount like any disk, whether or not it can read buckets itself.

    Raises:
        UsageError: for a path in another bucket, which is not mounted.
    """
    return [_mapped(argument, bucket) for argument in arguments]


def _mapped(argument: str, bucket: str) -> str:
    pattern = re.escape(bucket) + r"(?=/|,|$)"
    local = re.sub(pattern, MOUNT, argument)
    if _ELSEWHERE.search(local):
        raise UsageError(
            f"{argument} is not in {bucket}, the only bucket that the hosts mount; copy it there "
            f"(gcloud storage cp --recursive) or give its bucket as --bucket"
        )
    return local
