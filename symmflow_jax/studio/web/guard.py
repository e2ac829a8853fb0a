"""Who may ask: hosts, origins, passwords and the cookie; and the headers of all answers.

A page of another site can make a browser send requests here, also by a name that it lets point to
this machine (DNS rebinding). Such requests bear that name in their Host header, or that site in
their Origin.
"""

import collections
import hashlib
import hmac
import http
import ipaddress
import secrets
import socket
import time
import urllib.parse

from symmflow_jax.studio.refusal import Refusal

PASSWORD_VARIABLE = "SYMMFLOW_STUDIO_PASSWORD"
"""The variable of the environment with the password."""

SHORTEST_PASSWORD = 10

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # With no referrer at all, browsers give the login form no Origin.
    "Referrer-Policy": "same-origin",
    "Server": "symmflow_jax",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Headers of every answer: no other host is reached, and no other site frames the page."""

_MOST_FAILURES = 5
_SECONDS_OF_FAILURES = 60.0
_MOST_ADDRESSES = 1_000


def is_loopback(address: str) -> bool:
    """True for an address that only this machine reaches."""
    if address.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def choose_password(address: str, given: str | None) -> tuple[str, bool]:
    """The password of a server, "" for none, and whether it was made here.

    Args:
        address: where the server listens.
        given: the value of `PASSWORD_VARIABLE`, or None.

    Raises:
        ValueError: if the given password is too short.
    """
    if given:
        if len(given) < SHORTEST_PASSWORD:
            raise ValueError(
                f"{PASSWORD_VARIABLE} has {len(given)} letters; give at least {SHORTEST_PASSWORD}, "
                "or leave it out for one that is made at random."
            )
        return given, False
    return ("", False) if is_loopback(address) else (secrets.token_urlsafe(16), True)


class Hosts:
    """The names by which the server may be asked.

    Args:
        address: where it listens; on loopback, only loopback's names are its own.
    """

    def __init__(self, address: str):
        self._is_loopback = is_loopback(address)
        self._names = {"localhost"}
        if not self._is_loopback:
            names = (address, socket.gethostname(), socket.getfqdn())
            self._names |= {name.lower() for name in names}

    def check(self, host: str | None) -> None:
        """Checks a Host header; any port will do, since a tunnel has its own.

        Raises:
            Refusal: for a name of others.
        """
        name = _host_name(host or "")
        if name in self._names or self._is_own_address(name):
            return
        raise Refusal(
            "This server is not known by that name; open it as it says where it was started.",
            http.HTTPStatus.MISDIRECTED_REQUEST,
        )

    def _is_own_address(self, name: str) -> bool:
        """True for an address in numbers, which no other name can be made to stand for."""
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self._is_loopback


def check_origin(method: str, host: str | None, origin: str | None) -> None:
    """Checks that a request that changes something comes from the page itself.

    Args:
        method: the method of HTTP.
        host: the Host header.
        origin: the Origin header; programs that are no browsers send none.

    Raises:
        Refusal: for a page of another site.
    """
    if method in ("GET", "HEAD") or origin is None:
        return
    if urllib.parse.urlsplit(origin).netloc.lower() != (host or "").lower():
        raise Refusal("Another site has sent this request.", http.HTTPStatus.FORBIDDEN)


class Password:
    """A password, with a bound on the number of guesses.

    Args:
        text: the password; "" if none is asked for.
    """

    def __init__(self, text: str):
        self._digest = _digest(text)
        self.is_needed = bool(text)
        self._failures: collections.OrderedDict[str, list[float]] = collections.OrderedDict()

    def check(self, text: str, remote: str) -> bool:
        """True for the right password; takes the same time for all wrong ones.

        Args:
            text: the guess.
            remote: the address that it comes from.

        Raises:
            Refusal: after too many wrong ones from an address.
        """
        now = time.monotonic()
        recent = [t for t in self._failures.get(remote, []) if now - t < _SECONDS_OF_FAILURES]
        if len(recent) >= _MOST_FAILURES:
            raise Refusal(
                "Too many wrong passwords; wait a minute.", http.HTTPStatus.TOO_MANY_REQUESTS
            )
        if hmac.compare_digest(_digest(text), self._digest):
            self._failures.pop(remote, None)
            return True
        self._failures[remote] = [*recent, now]
        self._failures.move_to_end(remote)
        while len(self._failures) > _MOST_ADDRESSES:
            self._failures.popitem(last=False)
        return False


def _digest(text: str) -> bytes:
    """Bytes of equal length for texts of any length."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _host_name(host: str) -> str:
    """The name in a Host header, without its port and the brackets of an IPv6 address."""
    try:
        return urllib.parse.urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
