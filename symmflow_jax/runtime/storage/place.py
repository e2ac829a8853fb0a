"""Places as users write them: paths on disks, and `gs://BUCKET/...` or `s3://BUCKET/...`."""

import pathlib
import re
from typing import TYPE_CHECKING, TypeGuard

from symmflow_jax.runtime.errors import shown
from symmflow_jax.runtime.storage.faults import EXTRAS

if TYPE_CHECKING:
    from symmflow_jax.runtime.storage.bucket_path import BucketPath

SCHEMES = tuple(EXTRAS)
"""The schemes of buckets that can be used."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
_ALMOST = re.compile(r"(gs|gcs|s3|s3a)(:(?!/)|//)", re.IGNORECASE)
_RIGHT = re.compile(r"(gs|s3)://[^/]")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,221}[a-z0-9]")
_PATTERNS = set("*?[]#")


def is_remote(path: object) -> "TypeGuard[BucketPath]":
    """True for a path in a bucket, also one that is still a text."""
    text = str(path) if isinstance(path, str | pathlib.PurePath) else ""
    return _RIGHT.match(text) is not None


def check(text: str, name: str) -> None:
    """Checks the form of a place; asks no server.

    Args:
        text: the place as given.
        name: what it is, for the message, such as "--workdir".

    Raises:
        ValueError: for another scheme than those of `SCHEMES`, for one that is not written right,
            which would become a folder of that name, or for a bucket that cannot exist.
    """
    if not _RIGHT.match(text):
        _refuse_other_scheme(text, name)
        return
    bucket, *parts = text.split("://", 1)[1].split("/")
    if not _BUCKET.fullmatch(bucket):
        raise ValueError(
            f"{name} is {shown(text)!r}, but {bucket!r} cannot be the name of a bucket: it has 3 "
            "letters or more, a to z, digits, dots and dashes."
        )
    if any(part in (".", "..") for part in parts):
        raise ValueError(f"{name} is {shown(text)!r}; in a bucket, write it without '..' and '.'.")
    wrong = sorted(_PATTERNS & set(text)) + [sign for sign in text if not sign.isprintable()]
    if wrong:
        raise ValueError(
            f"{name} is '{shown(text)}'; in a bucket, '{shown(wrong[0])}' has another meaning. "
            "Give a place without it."
        )


def place(text: str, name: str) -> pathlib.Path:
    """The path of a text that a user gives; a bucket is asked whether it can be used.

    Args:
        text: the place, with `~` and `$VARIABLES` expanded (`paths.expand`).
        name: what it is, for messages, such as "--workdir".

    Returns:
        a path of the system, or a `BucketPath`.

    Raises:
        ValueError: as `check`.
        StorageError: if the driver is not installed, there are no credentials, or the bucket does
            not exist, may not be listed or does not answer.
    """
    check(text, name)
    if not is_remote(text):
        return pathlib.Path(text)
    from symmflow_jax.runtime.storage import drivers
    from symmflow_jax.runtime.storage.bucket_path import BucketPath

    _used.append(text)
    drivers.check_bucket(text)
    return BucketPath(text)


_used: list[str] = []


def used() -> list[str]:
    """The places in buckets that this process has been given, for messages."""
    return list(_used)


def as_path(path: str | pathlib.Path) -> pathlib.Path:
    """The path of a text or a path; no server is asked.

    `pathlib.Path` of a path in a bucket would be a folder on the disk.
    """
    if isinstance(path, pathlib.Path):
        return path
    if not is_remote(path):
        return pathlib.Path(path)
    from symmflow_jax.runtime.storage.bucket_path import BucketPath

    return BucketPath(path)


def local(text: str, name: str, remedy: str) -> pathlib.Path:
    """The path of a text that must be on a disk.

    Args:
        text: the place.
        name: what it is, for messages.
        remedy: what to do with one in a bucket, a sentence.

    Raises:
        ValueError: as `check`, or for a bucket.
    """
    check(text, name)
    refuse(text, name, remedy)
    return pathlib.Path(text)


def refuse(path: str | pathlib.Path, name: str, remedy: str) -> None:
    """Raises a ValueError with a remedy for a place in a bucket."""
    if is_remote(path):
        raise ValueError(f"{name} is {shown(path)}, which cannot be in a bucket. {remedy}")


def _refuse_other_scheme(text: str, name: str) -> None:
    almost = _ALMOST.match(text)
    scheme = _SCHEME.match(text)
    if almost or (scheme and scheme[1].lower() in ("gs", "gcs", "s3", "s3a", "s3n")):
        right = "s3" if text.lower().startswith("s3") else "gs"
        rest = shown(re.sub(r"^\w+:?/*", "", text)) or "BUCKET/FOLDER"
        raise ValueError(
            f"{name} is {shown(text)!r}; a place in a bucket is written {right}://{rest}, and a "
            f"folder of that name ./{shown(text)}."
        )
    if scheme:
        raise ValueError(
            f"{name} is {shown(text)!r}, but {scheme[1]}:// is not known; give a folder, or a "
            f"place in a bucket: {' or '.join(f'{known}://BUCKET/FOLDER' for known in SCHEMES)}."
        )
