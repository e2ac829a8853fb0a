"""Errors of drivers as one line."""

import pytest

from symmflow_jax.runtime.errors import first_line
from symmflow_jax.runtime.storage import faults
from symmflow_jax.runtime.storage.faults import StorageError, explained


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """No server is remembered as gone by later tests."""
    monkeypatch.setattr(faults, "_gone", [])


class NoCredentialsError(Exception):
    pass


class HttpError(Exception):
    code = 401


class ClientConnectionError(Exception):
    pass


@pytest.mark.parametrize(
    "error, message",
    [
        (NoCredentialsError("none"), "no valid credentials for gs://.*gcloud auth application-def"),
        (HttpError("Invalid"), "no valid credentials"),
        (ValueError("Anonymous caller does not have"), "no valid credentials"),
        (PermissionError(13, "Access Denied"), "no permission.*roles/storage.objectUser"),
        (OSError("Forbidden: b/o\nmore"), "no permission"),
        (ClientConnectionError("refused"), "the server does not answer .refused.*what is saved st"),
        (TimeoutError(), "the server does not answer"),
        (ValueError("UNAVAILABLE: CURL error[7]"), "the server does not answer"),
        (FileNotFoundError("The specified bucket does not exist"), "there is no bucket 'bucket'"),
        (ImportError("gcsfs"), r"pip install 'symmflow_jax\[gcs\]'"),
        (RuntimeError("odd\nlines"), r"cannot be used \(odd\)"),
    ],
)
def test_every_error_is_one_line_with_the_place(error, message):
    with pytest.raises(StorageError, match=message) as told, explained("gs://bucket/run"):
        raise error
    assert str(told.value).startswith("gs://bucket/run") and "\n" not in str(told.value)


def test_s3_has_remedies_of_its_own():
    login = faults.explain(NoCredentialsError("none"), "s3://bucket/run")
    role = faults.explain(PermissionError("AccessDenied"), "s3://bucket/run")
    assert "AWS_ACCESS_KEY_ID" in login and "s3:PutObject" in role
    assert "aws s3 mb s3://bucket" in str(faults.no_bucket("s3://bucket/run"))


@pytest.mark.parametrize("kind", [FileNotFoundError, FileExistsError])
def test_what_a_caller_expects_stays_what_it_is(kind):
    with pytest.raises(kind) as raised, explained("gs://bucket/run"):
        raise kind("b/bucket/o/run")
    assert raised.value.filename == "gs://bucket/run" and raised.value.strerror


def test_the_cause_is_found_in_errors_of_other_libraries():
    try:
        try:
            raise StorageError("gs://bucket/run: gone")
        except StorageError as error:
            raise ValueError("a checkpoint") from error
    except ValueError as error:
        assert first_line(faults.found_in(error)) == "gs://bucket/run: gone"
    assert faults.found_in(ValueError("another")) is None


def test_a_server_that_is_gone_is_remembered_for_a_minute(monkeypatch):
    assert not faults.is_gone()
    faults.explain(TimeoutError(), "gs://bucket/run")
    assert faults.is_gone()
    monkeypatch.setattr(faults, "_RECENT", -1.0)
    assert not faults.is_gone()
