"""Messages between processes, which are threads of one here."""

import concurrent.futures
import socket
import time

import pytest

from symmflow_jax.runtime.cluster import channel


@pytest.fixture
def channels(settings, open_all):
    """Three connected processes, and what they hear."""
    found = open_all(settings(2), settings(0), settings(1))
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
