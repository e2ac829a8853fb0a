"""Processes that come, are missing, or do not fit."""

import socket
import threading

import pytest

from symmflow_jax.runtime.cluster import rendezvous
from symmflow_jax.runtime.cluster.rendezvous import StartError, StoppedError, open_channel


def test_who_is_missing_is_named_to_those_who_came(settings, open_all):
    errors = open_all(settings(0, 4, 0.6), settings(2, 4, 5.0))
    assert [type(error) for error in errors] == [StartError] * 2
    for error in errors:
        assert "processes 1 and 3 of 4 did not come to 127.0.0.1:" in str(error)
        assert "within 0.6 s" in str(error) and "--startup_timeout" in str(error)


def test_a_process_without_process_0_says_so(settings, open_all):
    (error,) = open_all(settings(1, 2, 0.4))
    assert isinstance(error, StartError) and "Process 0 did not answer at 127.0.0.1:" in str(error)


def test_contradictions_are_refused(settings, open_all):
    found = open_all(settings(0, 2, 1.0), settings(1, 3))
    first = next(error for error in found if isinstance(error, ValueError))
    assert "--num_processes=3 of process 1, but 2 of process 0" in str(first)


def test_a_busy_port_is_named(settings):
    own = settings(0)
    message = rf"cannot listen on port {own.port} .*another port"
    with socket.create_server(("", own.port)), pytest.raises(ValueError, match=message):
        open_channel(own)


def test_a_signal_while_waiting_is_told_to_those_who_came(settings, open_all, monkeypatch):
    monkeypatch.setattr(rendezvous, "_PATIENCE", 0.5)
    came = threading.Event()
    threading.Timer(0.3, came.set).start()
    errors = open_all(settings(0), settings(1), stopped=lambda: 15 if came.is_set() else None)
    assert isinstance(errors[0], StoppedError) and errors[0].signal_number == 15
    assert isinstance(errors[1], StartError)
