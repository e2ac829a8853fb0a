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
from collections.abc import Callable
from typing import Any

from symmflow_jax.runtime import files

HUB = 0
"""The process through which all messages go."""

_BEAT, _SILENCE = 5.0, 30.0
"""Seconds between two signs of life, and without one until a process is taken for lost."""

Message = dict[str, Any]


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
            for process, connection in sorted(self._connections.items())
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


def named(processes: list[int], most: int = 20) -> str:
    """Processes in words, such as "processes 2 and 3"."""
    numbers = [str(index) for index in processes[:most]]
    if len(processes) > most:
        return f"processes {', '.join(numbers)} and {len(processes) - most} more"
    if len(processes) == 1:
        return f"process {numbers[0]}"
    return f"processes {', '.join(numbers[:-1])} and {numbers[-1]}"
