"""Messages between the processes of a run, over TCP through process 0.

A process that ends, however it ends, closes its connection; so a loss is seen at once, and that of
a whole host after a silence.
"""

import collections
import dataclasses
import json
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from symmflow_jax.runtime import files
from symmflow_jax.runtime.cluster.settings import Settings

HUB = 0
"""The process through which all messages go."""

_BEAT, _SILENCE = 5.0, 30.0
"""Seconds between two signs of life, and without one until a process is taken for lost."""

_GREETING = "symmflow_jax"

Message = dict[str, Any]


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


class Connection:
    """Messages to and from one process, as lines of JSON.

    Attributes:
        stream: the connection.
        heard: time of the last sign of life.
        unread: messages that came together with the answer to a greeting.
    """

    def __init__(self, stream: socket.socket):
        self.stream = stream
        self.heard = time.monotonic()
        self.unread: list[Message] = []
        self._lock = threading.Lock()
        self._rest = b""

    def send(self, message: Message) -> None:
        """Sends a message; a connection that is closed is noticed by who reads from it."""
        try:
            with self._lock:
                self.stream.sendall(files.as_json(message).encode() + b"\n")
        except OSError:
            pass

    def receive(self) -> list[Message] | None:
        """The messages that have come; None if the connection is closed."""
        try:
            data = self.stream.recv(1 << 16)
        except TimeoutError:
            return []
        except OSError:
            return None
        if not data:
            return None
        self.heard = time.monotonic()
        *lines, self._rest = (self._rest + data).split(b"\n")
        try:
            return [json.loads(line) for line in lines]
        except ValueError:  # Of a program that is not this one.
            return None

    def close(self) -> None:
        """Closes the connection."""
        self.stream.close()


@dataclasses.dataclass
class _Exchange:
    values: dict[int, Any] = dataclasses.field(default_factory=dict)
    complete: list[Any] | None = None


class Channel:
    """The connections of one process: of process 0 to all others, of another one to process 0.

    Args:
        process_id: number of this process.
        num_processes: number of all.
        connections: the connections by process.

    Attributes:
        process_id: number of this process.
        num_processes: number of all.
        on_notice: function of a process and its message, called in the channel's thread.
        on_loss: function of processes that are lost, called there.
    """

    def __init__(self, process_id: int, num_processes: int, connections: dict[int, Connection]):
        self.process_id, self.num_processes = process_id, num_processes
        self.on_notice: Callable[[int, Message], None] = lambda process, message: None
        self.on_loss: Callable[[list[int]], None] = lambda processes: None
        self._connections = dict(connections)
        self._calls: collections.Counter[str] = collections.Counter()
        self._exchanges: dict[str, _Exchange] = {}
        self._changed = threading.Condition()
        self._left: set[int] = set()
        self._thread = threading.Thread(target=self._run, daemon=True, name="cluster")

    def start(self) -> None:
        """Begins to listen."""
        self._thread.start()

    def notify(self, message: Message) -> None:
        """Sends a message to all processes, this one included."""
        self.on_notice(self.process_id, message)
        self._pass_on(self.process_id, message)

    def exchange(self, name: str, value: Any) -> list[Any]:
        """The values of all processes by their numbers; waits until all have come to this call.

        Args:
            name: what is exchanged. All processes make the calls of one name in the same order.
            value: a value of JSON.
        """
        with self._changed:
            self._calls[name] += 1
            name = f"{name} {self._calls[name]}"
        if self.process_id == HUB:
            self._put(HUB, name, value)
        else:
            self._connections[HUB].send({"put": name, "value": value})
        with self._changed:
            self._changed.wait_for(lambda: self._of(name).complete is not None)
            return list(self._exchanges.pop(name).complete or [])

    def leave(self, seconds: float) -> None:
        """Says that this process ends now; process 0 waits for the others until a time is over.

        Otherwise those who go on for a moment would take it for lost.
        """
        for connection in self._connections.values():
            connection.send({"left": True})
        if self.process_id == HUB:
            with self._changed:
                self._changed.wait_for(lambda: self._left >= set(self._connections), seconds)

    def _of(self, name: str) -> _Exchange:
        return self._exchanges.setdefault(name, _Exchange())

    def _put(self, process: int, name: str, value: Any) -> None:
        with self._changed:
            exchange = self._of(name)
            exchange.values[process] = value
            if len(exchange.values) < self.num_processes:
                return
            values = [exchange.values[index] for index in range(self.num_processes)]
        self._complete(name, values)
        for connection in self._connections.values():
            connection.send({"all": name, "values": values})

    def _complete(self, name: str, values: list[Any]) -> None:
        with self._changed:
            self._of(name).complete = values
            self._changed.notify_all()

    def _pass_on(self, sender: int, message: Message) -> None:
        for process, connection in self._connections.items():
            if process != sender:
                connection.send({"notice": message, "sender": sender})

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for process, connection in self._connections.items():
                selector.register(connection.stream, selectors.EVENT_READ, process)
                for message in connection.unread:
                    self._take(process, message)
            beaten = 0.0
            while selector.get_map():
                for key, _ in selector.select(1.0):
                    messages = self._connections[key.data].receive()
                    if messages is None:
                        selector.unregister(key.fileobj)
                        self._close(key.data)
                    for message in messages or ():
                        self._take(key.data, message)
                if time.monotonic() - beaten > _BEAT:
                    beaten = time.monotonic()
                    self._beat()

    def _beat(self) -> None:
        for connection in self._connections.values():
            connection.send({})
        silent = [
            process
            for process, connection in self._connections.items()
            if time.monotonic() - connection.heard > _SILENCE and process not in self._left
        ]
        if silent:
            self.on_loss(silent)

    def _close(self, process: int) -> None:
        with self._changed:
            left = process in self._left
            self._left.add(process)
            self._changed.notify_all()
        if not left:
            self.on_loss([process])

    def _take(self, process: int, message: Message) -> None:
        if "put" in message:
            self._put(process, message["put"], message["value"])
        elif "all" in message:
            self._complete(message["all"], message["values"])
        elif "notice" in message:
            self.on_notice(message["sender"], message["notice"])
            if self.process_id == HUB:
                self._pass_on(process, message["notice"])
        elif "left" in message:
            with self._changed:
                self._left.add(process)
                self._changed.notify_all()


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


def named(processes: list[int], most: int = 20) -> str:
    """Processes in words, such as "processes 2 and 3"."""
    numbers = [str(index) for index in processes[:most]]
    if len(processes) > most:
        return f"processes {', '.join(numbers)} and {len(processes) - most} more"
    if len(processes) == 1:
        return f"process {numbers[0]}"
    return f"processes {', '.join(numbers[:-1])} and {numbers[-1]}"


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
