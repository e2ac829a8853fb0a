"""Requests to save and leave."""

import signal
import subprocess
import sys

import pytest

from symmflow_jax.runtime.signals import Interrupted, InterruptionRequest


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_is_noted(number):
    with InterruptionRequest() as request:
        assert request.signal_number is None
        signal.raise_signal(number)
        assert request.signal_number == number


def test_handlers_are_put_back_also_after_an_error():
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with InterruptionRequest():
        signal.raise_signal(signal.SIGTERM)
    with pytest.raises(OSError, match="full"), InterruptionRequest():
        raise OSError("full")
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


@pytest.fixture
def obeyed_interrupts():
    """SIGINT raises KeyboardInterrupt; shells start programs in the background without that."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.mark.usefixtures("obeyed_interrupts")
def test_after_the_context_a_signal_is_obeyed():
    with InterruptionRequest() as request:
        pass
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert request.signal_number is None


def _exit_code(*lines: str) -> int:
    program = [
        "import signal",
        "from symmflow_jax.runtime.signals import InterruptionRequest, Interrupted",
        *lines,
    ]
    return subprocess.run([sys.executable, "-c", "\n".join(program)], timeout=60).returncode


def test_a_second_signal_ends_the_process_at_once():
    first, second = ("    signal.raise_signal(signal.SIGTERM)",) * 2
    context = "with InterruptionRequest():"
    assert _exit_code(context, first, "    print()") == 0
    assert _exit_code(context, first, second, "    print()") == -signal.SIGTERM


def test_leaving_after_saving_has_the_code_of_the_shell():
    assert Interrupted(signal.SIGTERM).code == 143
    assert _exit_code("raise Interrupted(signal.SIGINT)") == 130


def _watching(*lines: str) -> subprocess.CompletedProcess:
    program = [
        "import os, signal, subprocess, sys, threading, time, hashlib",
        "from symmflow_jax.runtime.signals import Watch",
        "watch = Watch()",
        *lines,
    ]
    command = [sys.executable, "-c", "\n".join(program)]
    return subprocess.run(command, timeout=60, capture_output=True, text=True)


_KILL = "threading.Timer({}, os.kill, [os.getpid(), signal.SIGTERM]).start()"
_IN_C = "hashlib.pbkdf2_hmac('sha256', b'long', b'computation', 10**8)"


def test_a_signal_is_heard_while_the_main_thread_computes():
    heard = _watching("watch.then(lambda number: os._exit(100 + number))", _KILL.format(0.2), _IN_C)
    assert heard.returncode == 100 + signal.SIGTERM


def test_a_signal_before_there_is_someone_to_hear_it_is_kept():
    kept = _watching(
        "signal.raise_signal(signal.SIGINT)",
        "time.sleep(0.3)",
        "watch.then(lambda number: os._exit(100 + number))",
        "time.sleep(20)",
    )
    assert kept.returncode == 100 + signal.SIGINT


def test_the_same_signal_twice_at_once_is_one():
    begin = ("watch.then(lambda number: None)", _KILL.format(0.1), _KILL.format(0.2))
    assert _watching(*begin, "time.sleep(1)").returncode == 0
    assert _watching(*begin, _KILL.format(1.5), _IN_C).returncode == 128 + signal.SIGTERM


def test_signals_go_back_to_who_had_them():
    closed = _watching("signal.raise_signal(signal.SIGTERM)", "time.sleep(0.3)", "watch.close()")
    assert closed.returncode == -signal.SIGTERM
    after = _watching("watch.close()", "signal.raise_signal(signal.SIGTERM)")
    assert after.returncode == -signal.SIGTERM


def test_the_end_of_a_forked_child_is_none_of_its_parent():
    forked = _watching(
        "watch.then(lambda number: os._exit(99))",
        "child = os.fork()",
        "if not child:",
        "    time.sleep(20)",
        "time.sleep(0.2)",
        "os.kill(child, signal.SIGTERM)",
        "_, status = os.waitpid(child, 0)",
        "time.sleep(0.2)",
        "print(os.waitstatus_to_exitcode(status))",
    )
    assert (forked.returncode, forked.stdout) == (0, f"{-signal.SIGTERM}\n")
