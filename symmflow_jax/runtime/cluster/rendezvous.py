"""The start of a run in several processes: all come to process 0, or it is told who is missing."""

import socket
import time
from collections.abc import Callable, Iterator

from symmflow_jax.runtime.cluster.channel import HUB, Channel, Connection, Message, named
from symmflow_jax.runtime.cluster.settings import Settings

_GREETING = "symmflow_jax"


class StartError(RuntimeError):
    """Not all processes of a run have come; the same command may succeed later."""


class StoppedError(StartError):
    """Process 0 has got a signal while it waited for the others.

    Args:
        signal_number: number of the signal.
    """

    def __init__(self, signal_number: int):
        super().__init__("Process 0 was stopped while it waited for the others.")
        self.signal_number = signal_number


Stopped = Callable[[], int | None]
"""A function that returns the number of a signal that this process has got, or None."""


def open_channel(settings: Settings, stopped: Stopped = lambda: None) -> Channel:
    """Connects all processes of a run.

    A process with a signal waits a few seconds for the others, to tell them.

    Args:
        settings: this process among the others.
        stopped: tells if this process shall stop.

    Raises:
        StartError: if not all have come within `settings.startup_timeout`, with their numbers.
        ValueError: if this process does not fit the others, or the address is not free.
    """
    end = time.monotonic() + settings.startup_timeout
    waits = _until(end, stopped)
    if settings.process_id == HUB:
        return _gather(settings, waits, stopped)
    return _come(settings, waits)


def _until(end: float, stopped: Stopped) -> Callable[[], bool]:
    """A function that tells if there is time left."""
    patience: list[float] = []

    def waits() -> bool:
        if stopped() is not None and not patience:
            patience.append(time.monotonic() + _PATIENCE)
        return time.monotonic() < min([end, *patience])

    return waits


_PATIENCE = 15.0
"""Seconds that a process with a signal waits for the others, to tell them."""


def _gather(settings: Settings, waits: Callable[[], bool], stopped: Stopped) -> Channel:
    """Process 0: waits for all others."""
    came: dict[int, Connection] = {}
    strangers: list[Connection] = []
    with _listen(settings) as listener:
        while len(came) < settings.num_processes - 1:
            if not waits():
                raise _refuse(settings, came, stopped())
            try:
                stream, _ = listener.accept()
                stream.settimeout(0.2)
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                strangers.append(Connection(stream))
            except TimeoutError:
                pass
            strangers = [c for c in strangers if not _greeted(c, settings, came)]
            for process in [p for p, c in came.items() if _is_closed(c)]:
                came.pop(process).close()
    for connection in came.values():
        connection.stream.setblocking(True)
        connection.send({"welcome": True})
    return Channel(HUB, settings.num_processes, came)


def _is_closed(connection: Connection) -> bool:
    """True for a process that has ended again before all had come."""
    try:
        return not connection.stream.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _greeted(connection: Connection, settings: Settings, came: dict[int, Connection]) -> bool:
    """Reads a greeting; True if it has come, or the connection is closed."""
    messages = connection.receive()
    if messages is None:
        connection.close()
        return True
    for message in messages:
        refusal = _misfit(message, settings, came)
        if refusal:
            connection.send({"refused": refusal})
            connection.close()
        else:
            connection.stream.setblocking(False)
            came[message["process_id"]] = connection
        return True
    return False


def _misfit(message: Message, settings: Settings, came: dict[int, Connection]) -> str:
    """Why a process is not one of this run; empty if it is."""
    index, count = message.get("process_id"), message.get("num_processes")
    if message.get("greeting") != _GREETING:
        return "this is another program."
    if count != settings.num_processes:
        return (
            f"--num_processes={count} of process {index}, but {settings.num_processes} of process "
            "0; give all processes the same."
        )
    if index in came or index == HUB:
        return f"two processes have --process_id={index}; give each its own."
    return ""


def _refuse(
    settings: Settings, came: dict[int, Connection], signal_number: int | None
) -> StartError:
    """Tells those who came who is missing, or that process 0 has got a signal."""
    missing = [index for index in range(1, settings.num_processes) if index not in came]
    text = _missing(missing, settings)
    for connection in came.values():
        connection.send({"missing": text} if signal_number is None else {"stopped": signal_number})
        connection.close()
    return StartError(text) if signal_number is None else StoppedError(signal_number)


def _missing(missing: list[int], settings: Settings) -> str:
    return (
        f"{named(missing)} of {settings.num_processes} did not come to {settings.coordinator} "
        f"within {settings.startup_timeout:g} s. Start all processes, look at the output of those "
        "that are missing, or give more time with --startup_timeout."
    )


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
    try:
        # JAX's own service listens there later.
        listener = socket.create_server(
            ("", settings.port), family=family, dualstack_ipv6=family == socket.AF_INET6
        )
    except OSError as error:
        raise ValueError(
            f"Process 0 cannot listen on port {settings.port} ({error.strerror}); end the program "
            "that does, or give all processes a --coordinator with another port."
        ) from error
    listener.settimeout(0.2)
    return listener


def _come(settings: Settings, waits: Callable[[], bool]) -> Channel:
    """Another process: comes to process 0 and waits for its welcome."""
    for connection in _attempts(settings, waits):
        connection.send(
            {
                "greeting": _GREETING,
                "process_id": settings.process_id,
                "num_processes": settings.num_processes,
            }
        )
        answer = _answer(connection, waits)
        if answer is not None and "welcome" in answer:
            connection.stream.settimeout(None)
            return Channel(settings.process_id, settings.num_processes, {HUB: connection})
        connection.close()
        if answer is not None and "refused" in answer:
            raise ValueError(f"{settings.coordinator} refused this process: {answer['refused']}")
        if answer is not None and "missing" in answer:
            raise StartError(answer["missing"])
        if answer is not None and "stopped" in answer:
            raise StoppedError(answer["stopped"])
    raise StartError(
        f"Process 0 did not answer at {settings.coordinator} within {settings.startup_timeout:g} "
        "s. Start it, check the address and the firewall, or give more time with "
        "--startup_timeout."
    )


def _attempts(settings: Settings, waits: Callable[[], bool]) -> Iterator[Connection]:
    while waits():
        try:
            stream = socket.create_connection((settings.host, settings.port), timeout=5.0)
        except OSError:
            time.sleep(0.2)
            continue
        stream.settimeout(0.2)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield Connection(stream)
        time.sleep(0.2)


def _answer(connection: Connection, waits: Callable[[], bool]) -> Message | None:
    """The answer of process 0; None if it does not come, or the connection is closed."""
    while waits():
        messages = connection.receive()
        if messages is None:
            return None
        if messages:
            connection.unread = messages[1:]
            return messages[0]
    return None
