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
