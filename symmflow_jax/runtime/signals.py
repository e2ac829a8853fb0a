"""SIGTERM and SIGINT (Ctrl-C) as requests to save and exit."""

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from types import FrameType

NUMBERS = (signal.SIGTERM, signal.SIGINT)
"""The signals that ask a run to stop."""


class Interrupted(SystemExit):
    """Exits the process after saving, with the exit code 128 + signal number."""

    def __init__(self, signal_number: int):
        super().__init__(128 + signal_number)


class InterruptionRequest:
    """Context manager that records SIGTERM and SIGINT instead of ending the process.

    A second signal of the same kind ends the process immediately. Outside of the main thread,
    which alone may handle signals, it does nothing.

    Attributes:
        signal_number: number of the received signal, or None.
    """

    def __init__(self):
        self.signal_number: int | None = None
        self._previous: dict[int, object] = {}

    def __enter__(self) -> "InterruptionRequest":
        if threading.current_thread() is not threading.main_thread():
            return self
        for number in NUMBERS:
            self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *exception) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def passes(self, place: int) -> int | None:
        """The number of the signal if one has come; see `Departure.passes`."""
        del place
        return self.signal_number

    def stage(self, place: int, save: Callable[[], None]) -> contextlib.AbstractContextManager:
        """Does nothing: a program other than a command is not ended; see `Departure.stage`."""
        del place, save
        return contextlib.nullcontext()

    def _note(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.signal_number = number
        signal.signal(number, signal.SIG_DFL)


class Watch:
    """Receives SIGTERM and SIGINT in a thread of its own.

    A handler of Python runs in the main thread, and so not before a long compilation is over. The
    thread gets the number of a signal at once. A second signal, a second or more after the first,
    ends the process; launchers often send the same one twice.

    Attributes:
        signal_number: number of the first signal, or None.
    """

    def __init__(self):
        self.signal_number: int | None = None
        self._act: Callable[[int], None] | None = None
        self._lock = threading.Lock()
        self._receiver, sender = socket.socketpair()
        sender.setblocking(False)
        self._sender = sender
        self._previous = {number: signal.signal(number, _nothing) for number in NUMBERS}
        self._wakeup = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
        os.register_at_fork(after_in_child=_forget)
        threading.Thread(target=self._run, daemon=True, name="signals").start()

    def then(self, act: Callable[[int], None]) -> None:
        """Sets a function that gets the first signal, also one that has come already."""
        with self._lock:
            self._act = act
            number = self.signal_number
        if number is not None:
            act(number)

    def close(self) -> None:
        """Gives the signals back to who had them before; sends one that has come on to them."""
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._sender.close()
        if self.signal_number is not None:
            os.kill(os.getpid(), self.signal_number)

    def _run(self) -> None:
        came = 0.0
        while data := self._receiver.recv(1):
            number = data[0]
            if number not in NUMBERS:
                continue
            with self._lock:
                is_first = self.signal_number is None
                self.signal_number = self.signal_number or number
                act = self._act
            if is_first:
                came = time.monotonic()
                if act is not None:
                    threading.Thread(target=act, args=[number], daemon=True).start()
            elif time.monotonic() - came > 1.0:
                os._exit(128 + number)


def _nothing(number: int, frame: FrameType | None) -> None:
    """A handler must be of Python for its signal to reach the thread."""


def _forget() -> None:
    """In a forked process, whose signals are not those of this one."""
    signal.set_wakeup_fd(-1)
    for number in NUMBERS:
        if signal.getsignal(number) is _nothing:
            signal.signal(number, signal.SIG_DFL)
