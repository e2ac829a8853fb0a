"""Errors of the drivers of buckets as one line with a remedy."""

import contextlib
import errno
import time
from collections.abc import Iterator

from symmflow_jax.runtime.errors import first_line, shown

EXTRAS = {"gs": "gcs", "s3": "s3"}
"""The extra of this package with the driver of a scheme."""

_LOGIN = {
    "gs": (
        "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to the "
        "key file of a service account"
    ),
    "s3": ("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE after `aws configure`"),
}
_ROLE = {
    "gs": "give the account the role roles/storage.objectUser on the bucket",
    "s3": "allow it s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject",
}

_OF_LIBRARIES = (
    "aiobotocore", "aiohttp", "botocore", "fsspec", "gcsfs", "google", "requests", "s3fs",
)  # fmt: skip
_NO_CREDENTIALS = {
    *("DefaultCredentialsError", "RefreshError", "NoCredentialsError", "ProfileNotFound"),
    *("PartialCredentialsError", "CredentialRetrievalError", "TokenRetrievalError"),
}
_SIGNS_OF_NO_CREDENTIALS = (
    *("Anonymous caller", "Invalid Credentials", "UNAUTHENTICATED", "InvalidAccessKeyId"),
    *("SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "Access Key Id you provided"),
    *("request signature we calculated", "token has expired", "Unable to locate credentials"),
)
_SIGNS_OF_NO_PERMISSION = (
    *("Forbidden", "AccessDenied", "Access Denied", "PERMISSION_DENIED", "does not have storage."),
)
_SIGNS_OF_NO_BUCKET = ("NoSuchBucket", "specified bucket does not exist")
_GONE = {
    *("ClientConnectionError", "ServerDisconnectedError", "ClientPayloadError", "FSTimeoutError"),
    *("EndpointConnectionError", "HTTPClientError", "ConnectionError", "TimeoutError"),
    *("TransportError", "RetryError", "ServerTimeoutError", "ConnectTimeoutError"),
}
_SIGNS_OF_GONE = ("UNAVAILABLE", "CURL error", "DEADLINE_EXCEEDED")


class StorageError(RuntimeError):
    """A bucket cannot be used; the message names the place and the remedy."""


@contextlib.contextmanager
def explained(place: str) -> Iterator[None]:
    """Turns errors of the drivers into `StorageError`.

    What a caller may expect stays what it is on a disk: FileNotFoundError and FileExistsError.

    Args:
        place: the file or folder, such as "gs://bucket/run".
    """
    try:
        yield
    except (FileNotFoundError, FileExistsError) as error:
        if is_missing_bucket(error):
            raise no_bucket(place) from error
        number = errno.ENOENT if isinstance(error, FileNotFoundError) else errno.EEXIST
        raise type(error)(number, "No such object" if number == errno.ENOENT else "It exists",
                          place) from error  # fmt: skip
    except (StorageError, NotADirectoryError, IsADirectoryError):
        raise
    except Exception as error:
        raise StorageError(explain(error, place)) from error


def is_missing_bucket(error: BaseException) -> bool:
    """True if an error says that there is no such bucket."""
    return any(sign in str(part) for part in _chain(error) for sign in _SIGNS_OF_NO_BUCKET)


def no_bucket(place: str) -> StorageError:
    """The error for a bucket that does not exist."""
    scheme, bucket = place.split("://")[0], place.split("/")[2]
    make = {"gs": f"gcloud storage buckets create gs://{bucket}", "s3": f"aws s3 mb s3://{bucket}"}
    return StorageError(
        f"{shown(place)}: there is no bucket {bucket!r}. Make it with `{make[scheme]}`, or correct "
        "its name."
    )


def explain(error: BaseException, place: str) -> str:
    """One line for an error of a driver, with the remedy."""
    where, scheme = shown(place), place.split("://")[0]
    if isinstance(error, StorageError):
        return str(error)
    for part in _chain(error):
        if is_missing_bucket(part):
            return str(no_bucket(place))
        if isinstance(part, ImportError):
            return missing_extra(place)
    for part in _chain(error):
        names = {cls.__name__ for cls in type(part).__mro__}
        text, code = str(part), getattr(part, "code", None)
        if names & _NO_CREDENTIALS or code in (401, "401") or _has(text, _SIGNS_OF_NO_CREDENTIALS):
            return (
                f"{where}: there are no valid credentials for {scheme}:// ({first_line(part)}). "
                f"To log in, {_LOGIN[scheme]}."
            )
        if isinstance(part, PermissionError) or code in (403, "403") or _has(
            text, _SIGNS_OF_NO_PERMISSION
        ):  # fmt: skip
            return (
                f"{where}: the account has no permission ({first_line(part)}). To go on, "
                f"{_ROLE[scheme]}, or use another account: {_LOGIN[scheme]}."
            )
    for part in _chain(error):
        names = {cls.__name__ for cls in type(part).__mro__}
        if names & _GONE or _has(str(part), _SIGNS_OF_GONE):
            _gone.append(time.monotonic())
            return (
                f"{where}: the server does not answer ({first_line(part)}). Check the network, "
                "and run the command again when it answers; what is saved stays saved."
            )
    return f"{where} cannot be used ({first_line(error)})."


_gone: list[float] = []
_RECENT = 60.0


def is_gone() -> bool:
    """True if a server did not answer a minute ago or later, so that nobody should wait again."""
    return bool(_gone) and time.monotonic() - _gone[-1] < _RECENT


def found_in(error: BaseException) -> BaseException | None:
    """The error of a driver that another error came from; None if there is none."""
    for part in _chain(error):
        if isinstance(part, StorageError):
            return part
        if type(part).__module__.split(".")[0] in _OF_LIBRARIES or _has(str(part), _SIGNS_OF_GONE):
            return part
    return None


def missing_extra(place: str) -> str:
    """The message for a scheme whose driver is not installed."""
    scheme = place.split("://")[0]
    return (
        f"{shown(place)} is in a bucket, and the driver of {scheme}:// is not installed: pip "
        f"install 'symmflow_jax[{EXTRAS[scheme]}]'."
    )


def _has(text: str, signs: tuple[str, ...]) -> bool:
    return any(sign in text for sign in signs)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that it came from."""
    part: BaseException | None = error
    for _ in range(20):
        if part is None:
            return
        yield part
        part = part.__cause__ or part.__context__
