"""Processes that find each other, as threads of one."""

import concurrent.futures
import socket
import threading
import time

import pytest

from symmflow_jax.runtime.cluster import channel
from symmflow_jax.runtime.cluster.channel import Channel, StartError, StoppedError, open_channel
from symmflow_jax.runtime.cluster.settings import Settings


@pytest.fixture
def settings():
    """A function from the number of a process to its settings."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return lambda index, count=3, timeout=10.0: Settings("127.0.0.1", port, count, index, timeout)


def _open_all(*processes: Settings, **options) -> list[Channel | BaseException]:
    def attempt(own: Settings) -> Channel | BaseException:
        try:
            return open_channel(own, **options)
        except Exception as error:
            return error

    with concurrent.futures.ThreadPoolExecutor() as pool:
        return list(pool.map(attempt, processes))


@pytest.fixture
def channels(settings):
    """Three connected processes, and what they hear."""
    found = _open_all(settings(2), settings(0), settings(1))
    found.sort(key=lambda each: each.process_id)
    heard: list[list] = [[] for _ in found]
    for each, notes in zip(found, heard, strict=True):
        each.on_notice = lambda process, message, notes=notes: notes.append((process, message))
        each.on_loss = lambda processes, notes=notes: notes.append(("lost", processes))
        each.start()
    return found, heard


def _wait_for(condition) -> None:
    end = time.monotonic() + 5
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


def test_values_are_exchanged_in_the_order_of_processes(channels):
    found, _ = channels
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for _ in range(3):  # A name may be used again.
            waiting = [pool.submit(each.exchange, "id", each.process_id * 10) for each in found]
            assert [each.result(5) for each in waiting] == [[0, 10, 20]] * 3


@pytest.mark.parametrize("sender", [0, 1])
def test_a_notice_reaches_all(channels, sender):
    found, heard = channels
    found[sender].notify({"leave": 15})
    _wait_for(lambda: all(notes == [(sender, {"leave": 15})] for notes in heard))


def test_a_connection_that_closes_is_a_loss(channels):
    found, heard = channels
    found[2]._connections[0].stream.shutdown(socket.SHUT_RDWR)
    _wait_for(lambda: heard[0] == [("lost", [2])])
    assert heard[1] == []


def test_who_has_left_is_not_lost(channels):
    found, heard = channels
    for each in (found[1], found[2]):
        each.leave(0.0)
        each._connections[0].stream.shutdown(socket.SHUT_RDWR)
    begin = time.monotonic()
    found[0].leave(5.0)  # Waits for no one else.
    assert time.monotonic() - begin < 2
    assert heard[0] == []


def test_a_silent_process_is_lost(channels, monkeypatch):
    found, heard = channels
    monkeypatch.setattr(channel, "_SILENCE", 0.05)
    monkeypatch.setattr(channel, "_BEAT", 0.5)
    monkeypatch.setattr(found[1], "_beat", lambda: None)
    _wait_for(lambda: ("lost", [1]) in heard[0] or ("lost", [1, 2]) in heard[0])


def test_who_is_missing_is_named_to_those_who_came(settings):
    errors = _open_all(settings(0, 4, 0.6), settings(2, 4, 5.0))
    assert [type(error) for error in errors] == [StartError] * 2
    for error in errors:
        assert "processes 1 and 3 of 4 did not come to 127.0.0.1:" in str(error)
        assert "within 0.6 s" in str(error) and "--startup_timeout" in str(error)


def test_a_process_without_process_0_says_so(settings):
    (error,) = _open_all(settings(1, 2, 0.4))
    assert isinstance(error, StartError) and "Process 0 did not answer at 127.0.0.1:" in str(error)


def test_contradictions_are_refused(settings):
    found = _open_all(settings(0, 2, 1.0), settings(1, 3))
    first = next(error for error in found if isinstance(error, ValueError))
    assert "--num_processes=3 of process 1, but 2 of process 0" in str(first)


def test_a_busy_port_is_named(settings):
    own = settings(0)
    message = rf"cannot listen on port {own.port} .*another port"
    with socket.create_server(("", own.port)), pytest.raises(ValueError, match=message):
        open_channel(own)


def test_a_signal_while_waiting_is_told_to_those_who_came(settings, monkeypatch):
    monkeypatch.setattr(channel, "_PATIENCE", 0.5)
    came = threading.Event()
    threading.Timer(0.3, came.set).start()
    errors = _open_all(settings(0), settings(1), stopped=lambda: 15 if came.is_set() else None)
    assert isinstance(errors[0], StoppedError) and errors[0].signal_number == 15
    assert isinstance(errors[1], StartError)
