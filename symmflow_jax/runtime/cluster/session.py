"""One command in several processes: its start, its errors and its end."""

import contextlib
import logging
import multiprocessing
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import NoReturn

from symmflow_jax.runtime.cluster.channel import HUB, Channel, Message, named
from symmflow_jax.runtime.cluster.departure import Departure, Save
from symmflow_jax.runtime.cluster.rendezvous import StartError, StoppedError, open_channel
from symmflow_jax.runtime.cluster.settings import Settings
from symmflow_jax.runtime.errors import first_line
from symmflow_jax.runtime.signals import InterruptionRequest, Watch

_logger = logging.getLogger(__name__)

LOST = 75
"""Status of a process whose run has lost another one, or has never been complete (EX_TEMPFAIL).

Starting the same command again may help, as it does not after an error of status 1.
"""

_PATIENCE = 45.0
"""Seconds in which the loss of a process is noticed, after an error that it may have caused."""

_TOGETHER = 3.0
"""Seconds in which all processes run into an error that they have in common."""

_current: "Session | None" = None

_last_acts: list[Callable[[], None]] = []


def current() -> "Session | None":
    """The session of this process; None for a program that is no command."""
    return _current


def stops() -> Departure | InterruptionRequest:
    """Where this process stops after a signal: as the session says, or by itself."""
    return _current.departure if _current else InterruptionRequest()


def stage(save: Save = lambda: None) -> contextlib.AbstractContextManager[None]:
    """The only stage of a command in several processes; see `Departure.stage`."""
    return _current.departure.stage(0, save) if _current else contextlib.nullcontext()


def exchange(name: str, value: object) -> list:
    """The values of all processes; see `Channel.exchange`."""
    return _current.exchange(name, value) if _current else [value]


def num_processes() -> int:
    """Number of processes of the command."""
    return _current.num_processes if _current else 1


def at_end(act: Callable[[], None]) -> None:
    """Adds what is done before a process is ended at once, such as giving a lease back."""
    _last_acts.append(act)


class Session:
    """A command in one or several processes, whose end is the end of this process.

    Args:
        watch: receives the signals.
        channel: the connections to the other processes; None for one process.

    Attributes:
        departure: where the processes stop after a signal.
    """

    def __init__(self, watch: Watch, channel: Channel | None = None):
        self._watch, self._channel = watch, channel
        self._ending = threading.Lock()
        self._failures: dict[int, str] = {}
        self._lost: set[int] = set()
        self._has_failed = self._is_done = False
        self.departure = Departure(self._agree, self._stop)
        if channel is not None:
            channel.on_notice, channel.on_loss = self._on_notice, self._on_loss
            channel.start()
        watch.then(self._on_signal)

    @property
    def process_id(self) -> int:
        """Number of this process."""
        return self._channel.process_id if self._channel else 0

    @property
    def num_processes(self) -> int:
        """Number of all processes."""
        return self._channel.num_processes if self._channel else 1

    def exchange(self, name: str, value: object) -> list:
        """The values of all processes; see `Channel.exchange`."""
        return [value] if self._channel is None else self._channel.exchange(name, value)

    def complete(self) -> None:
        """Ends a command that has run well, once all processes have."""
        self._is_done = True
        if self._channel is None:
            return
        self._channel.exchange("end", True)
        self.end(0)

    def fail(self, error: BaseException, text: str) -> NoReturn:
        """Ends this process after an error, and with it all others.

        Args:
            error: the error.
            text: the message of one line; empty for an error whose traceback is shown.
        """
        if self._channel is None:
            raise AssertionError("one process ends by itself")
        if may_be_of_others(error):
            time.sleep(_PATIENCE)  # The channel's thread ends the process if one is lost.
        shown = text or f"Error: {first_line(error) or type(error).__name__}"
        self._has_failed = True
        self._channel.notify({"failed": shown})
        if self.process_id != HUB and text:
            # An error of all is told by one.
            end = time.monotonic() + _TOGETHER
            while self._failures.get(HUB) != shown and time.monotonic() < end:
                time.sleep(0.05)
        if text and (self.process_id == HUB or self._failures.get(HUB) != shown):
            self._tell(text)
        elif not text:
            traceback.print_exception(error)
        self.end(1)

    def fail_service(self) -> None:
        """Ends this process because JAX's service has gone, unless another reason is known."""
        time.sleep(5.0)
        self._on_loss([HUB])

    def _agree(self, place: int) -> list[int]:
        return self.exchange("place", sys.maxsize if self._is_done else place)

    def _on_signal(self, number: int) -> None:
        if self._channel is not None:
            self._channel.notify({"leave": number})
        else:
            self.departure.leave(number)

    def _on_notice(self, process: int, message: Message) -> None:
        if "leave" in message:
            # In a thread of its own, because it waits for messages.
            leave = self.departure.leave
            threading.Thread(target=leave, args=[message["leave"]], daemon=True).start()
        elif "lost" in message:
            self._on_loss(message["lost"])
        elif "failed" in message:
            self._failures[process] = message["failed"]
            if process != self.process_id:
                threading.Thread(target=self._follow, args=[process], daemon=True).start()

    def _follow(self, process: int) -> None:
        """Ends this process because another one has failed, unless it does so itself."""
        time.sleep(_TOGETHER)
        if not self._has_failed:
            if self.process_id == HUB:
                text = self._failures[process].removeprefix("Error: ")
                self._tell(f"Error: process {process}: {text}")
            self.end(1)

    def _on_loss(self, processes: list[int]) -> None:
        if not self._failures:
            self._lost.update(processes)
            threading.Thread(target=self._end_after_loss, daemon=True).start()

    def _end_after_loss(self) -> None:
        time.sleep(0.5)  # More of them may be lost at the same time.
        processes = sorted(self._lost)
        if not self._ending.acquire(blocking=False):
            return
        if self._channel is not None and self.process_id == HUB:
            self._channel.notify({"lost": processes})
        if self.process_id == HUB or HUB in processes:
            is_one = len(processes) == 1
            self._tell(
                f"Error: {named(processes)} of {self.num_processes} {'is' if is_one else 'are'} "
                f"lost: {'it has' if is_one else 'they have'} ended without a word, or the host "
                "does not answer. What is saved is whole; start all processes again, and a "
                "training goes on from its last checkpoint."
            )
        self._exit(LOST)

    def _stop(self, signal_number: int, save: Save) -> None:
        """Ends the process in a stage; called in the thread of a signal."""
        try:
            save()
        except Exception as error:
            if self._channel is not None:
                self.fail(error, f"Error: {first_line(error)}")
            self._tell(f"Error: {first_line(error)}")
            self.end(1)
        self.end(128 + signal_number)

    def _tell(self, text: str) -> None:
        prefix = "" if self.process_id == HUB else f"process {self.process_id}: "
        sys.stderr.write(f"{prefix}{text}\n")

    def end(self, status: int) -> NoReturn:
        """Ends the process at once, with what it has started."""
        if not self._ending.acquire(blocking=False):
            time.sleep(60)  # Another thread is at it.
        self._exit(status)

    def _exit(self, status: int) -> NoReturn:
        if self._channel is not None:
            self._channel.leave(_LONGEST_GOODBYE)
        for child in multiprocessing.active_children():
            child.kill()
        for act in _last_acts:
            with contextlib.suppress(Exception):
                act()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)


_LONGEST_GOODBYE = 20.0
"""Seconds that process 0 waits for the others to end."""


def may_be_of_others(error: BaseException | None) -> bool:
    """True for an error that the loss of another process may have caused."""
    while error is not None:
        text = str(error)
        if type(error).__name__ in ("JaxRuntimeError", "XlaRuntimeError") or any(
            sign in text for sign in ("Gloo", "NCCL", "by peer", "CoordinationService")
        ):
            return True
        error = error.__cause__ or error.__context__
    return False


def start(settings: Settings, watch: Watch) -> Session:
    """Connects this process with the others of its run.

    Args:
        settings: this process among the others.
        watch: receives the signals.

    Raises:
        ValueError: if the settings are wrong.
    """
    global _current
    try:
        channel = open_channel(settings, lambda: watch.signal_number)
    except StartError as error:
        number = watch.signal_number
        if isinstance(error, StoppedError):
            number = error.signal_number
        if number is not None:
            os._exit(128 + number)
        prefix = "" if settings.process_id == HUB else f"process {settings.process_id}: "
        sys.stderr.write(f"{prefix}Error: {error}\n")
        sys.stderr.flush()
        os._exit(LOST)
    _current = Session(watch, channel)
    # Imported here so that the slow import of JAX delays no --help.
    import jax

    from symmflow_jax.runtime.cluster import service

    # Its handler would take the place of `watch`.
    jax.config.update("jax_enable_preemption_service", False)
    service.connect(settings, _current.fail_service)
    return _current


def start_alone(watch: Watch) -> Session:
    """The session of a command in one process, which a signal may end in its stages."""
    global _current
    _current = Session(watch)
    return _current
