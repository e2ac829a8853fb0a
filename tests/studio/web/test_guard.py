"""Who may ask: hosts, origins and passwords."""

import time

import pytest

from symmflow_jax.studio.refusal import Refusal
from symmflow_jax.studio.web import guard
from symmflow_jax.studio.web.guard import Hosts, Password


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True), ("127.8.0.1", True), ("::1", True), ("LocalHost", True),
        ("0.0.0.0", False), ("::", False), ("10.0.0.3", False), ("studio.example", False),
    ],
)  # fmt: skip
def test_loopback_is_told_from_other_addresses(address, expected):
    assert guard.is_loopback(address) is expected


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:9000", "[::1]:8000", "LOCALHOST"])
def test_loopback_has_its_names_at_any_port(host):
    Hosts("127.0.0.1").check(host)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example:8000", "10.0.0.3:8000", "", None, "[", "localhost.x"],
)
def test_a_name_that_points_to_loopback_is_refused(host):
    with pytest.raises(Refusal, match="not known by that name") as told:
        Hosts("127.0.0.1").check(host)
    assert told.value.status == 421


def test_other_addresses_take_numbers_and_their_own_name():
    hosts = Hosts("studio.example")
    for host in ("10.0.0.3:8000", "studio.example", "[fe80::1]:80", "localhost"):
        hosts.check(host)
    with pytest.raises(Refusal):
        hosts.check("evil.example")


@pytest.mark.parametrize(
    ("method", "origin", "passes"),
    [
        ("POST", "http://localhost:8000", True),
        ("POST", None, True),
        ("GET", "http://evil.example", True),
        ("POST", "http://evil.example", False),
        ("DELETE", "http://localhost:9000", False),
        ("POST", "null", False),
    ],
)
def test_changes_come_from_the_page_itself(method, origin, passes):
    if passes:
        guard.check_origin(method, "localhost:8000", origin)
    else:
        with pytest.raises(Refusal, match="Another site"):
            guard.check_origin(method, "localhost:8000", origin)


def test_other_addresses_than_loopback_have_a_password():
    assert guard.choose_password("127.0.0.1", None) == ("", False)
    assert guard.choose_password("127.0.0.1", "long enough") == ("long enough", False)
    made, is_made = guard.choose_password("0.0.0.0", None)
    assert is_made and len(made) >= 20
    assert made != guard.choose_password("0.0.0.0", "")[0]
    with pytest.raises(
        ValueError, match="SYMMFLOW_STUDIO_PASSWORD has 5 letters; give at least 10"
    ):
        guard.choose_password("0.0.0.0", "short")


def test_a_password_is_guessed_a_few_times_a_minute(monkeypatch):
    password = Password("a good one")
    assert password.is_needed and password.check("a good one", "10.0.0.1")
    for guess in ("", "A good one", "a good one ", "\udcff", "x" * 10_000):
        assert not password.check(guess, "10.0.0.1")
    with pytest.raises(Refusal, match="wait a minute"):
        password.check("a good one", "10.0.0.1")
    assert password.check("a good one", "10.0.0.2")
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 61)
    assert password.check("a good one", "10.0.0.1")
    assert not Password("").is_needed


def test_answers_allow_nothing_from_elsewhere():
    policy = guard.HEADERS["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy and "unsafe" not in policy and "*" not in policy
