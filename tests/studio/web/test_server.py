"""The server: where it listens, what it says, and how it ends."""

import logging
import os
import re
import signal
import socket
import threading
import urllib.request

import pytest

pytest.importorskip("aiohttp")

from symmflow_jax.studio.web import server
from symmflow_jax.studio.web.server import Serving


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::1", "http://[::1]:80"),
        ("studio.example", "http://studio.example:80"),
    ],
)
def test_the_address_can_be_opened(address, url):
    assert server.url_of(address, 80) == url


def test_a_port_that_is_taken_is_told():
    with server.listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ValueError, match=rf"--port={port} cannot be listened at .*--port \(0"):
            server.listen("127.0.0.1", port)


@pytest.mark.parametrize("address", ["192.0.2.1", "no such name"])
def test_an_address_of_others_is_told(address):
    with pytest.raises(ValueError, match=f"--address={address} .*an address of this machine"):
        server.listen(address, 0)


def _serve(engine, serving, caplog, signal_number) -> str:
    """Serves, asks for the page of the log's address, and ends by a signal; returns the log."""
    found = {}

    def visit():
        for _ in range(1000):
            address = re.search(r"http://\S+", caplog.text)
            if address:
                break
            threading.Event().wait(0.01)
        for _ in range(1000):
            try:
                with urllib.request.urlopen(address[0], timeout=10) as answer:
                    found["page"] = answer.read()
                break
            except OSError:
                threading.Event().wait(0.01)
        os.kill(os.getpid(), signal_number)

    with caplog.at_level(logging.INFO, "symmflow_jax"):
        visitor = threading.Thread(target=visit)
        visitor.start()
        server.serve(engine, (), serving)
        visitor.join()
    assert b"<title>Studio" in found["page"]
    return caplog.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal(stand_in, caplog, number):
    text = _serve(stand_in(), Serving(port=0), caplog, number)
    assert "password" not in text


def test_all_addresses_have_a_password_and_a_warning(stand_in, caplog):
    text = _serve(stand_in(), Serving("0.0.0.0", port=0), caplog, signal.SIGTERM)
    assert re.search(r"Its password is \S{20,}", text)
    assert "travel unencrypted" in text and "ssh -L" in text


def test_a_given_password_is_not_logged(stand_in, caplog):
    serving = Serving("0.0.0.0", port=0, password="long enough, I hope")
    assert "long enough" not in _serve(stand_in(), serving, caplog, signal.SIGTERM)


def test_the_port_is_free_again_afterwards(stand_in, caplog):
    with server.listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    _serve(stand_in(), Serving(port=port), caplog, signal.SIGTERM)
    with socket.create_server(("127.0.0.1", port)):
        pass
