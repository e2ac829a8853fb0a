"""Where all processes of a run stop after a signal.

The places at which a run can stop have numbers, and all processes pass them in the same order.
After a signal each process tells the first one that it has not passed yet, and passes no further
one until it knows those of the others. All stop at the largest. Until a signal comes, nobody waits.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator

Save = Callable[[], None]
"""A function that saves what is not saved yet."""


class Stopped(Exception):
    """This process has reached the place at which all stop.

    Args:
        signal_number: number of the signal.
    """

    def __init__(self, signal_number: int):
        super().__init__(f"stopped by signal {signal_number}")
        self.signal_number = signal_number


class Departure:
    """The places of one process, and the one at which all stop.

    Args:
        agree: function of this process's first place to the places of all processes; it waits for
            the others.
        stop: function that ends the process after a save, called in the thread of `leave`.
    """

    def __init__(self, agree: Callable[[int], list[int]], stop: Callable[[int, Save], None]):
        self._agree, self._stop = agree, stop
        self._changed = threading.Condition()
        self._passed = -2
        self._stage: tuple[int, Save] | None = None
        self._agreeing = False
        self._signal: int | None = None
        self._last: int | None = None

    def __enter__(self) -> "Departure":
        return self  # Signals are received for the whole command.

    def __exit__(self, *exception) -> None:
        pass

    def passes(self, place: int) -> int | None:
        """Passes a place; the number of the signal if this process stops here, otherwise None."""
        with self._changed:
            self._changed.wait_for(lambda: not self._agreeing)
            if self._last is not None and place >= self._last:
                return self._signal
            self._passed = max(place, self._passed)
            return None

    @contextlib.contextmanager
    def stage(self, place: int, save: Save) -> Iterator[None]:
        """A place that takes its time: the process may be ended anywhere in it.

        Args:
            place: its number. It is passed when the stage is over.
            save: saves what is not saved yet; called in another thread.

        Raises:
            Stopped: if all stop here, before the stage begins; nothing is saved then.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._agreeing)
            if self._last is not None and place >= self._last:
                raise Stopped(self._signal or 0)
            self._stage = (place, save)
        try:
            yield
        finally:
            with self._changed:
                self._changed.wait_for(lambda: not self._agreeing)
                self._stage = None
                self._passed = max(place, self._passed)

    def leave(self, signal_number: int) -> None:
        """Agrees on the place with the other processes; ends this one if it is there already."""
        with self._changed:
            if self._signal is not None:
                return
            self._signal, self._agreeing = signal_number, True
            first = self._stage[0] if self._stage else self._passed + 1
        last = max(self._agree(first))
        with self._changed:
            self._last = last
            stage = self._stage
            if stage is None or stage[0] < last:
                self._agreeing = False
                self._changed.notify_all()
                return
        # The stage cannot end any more: the main thread waits.
        self._stop(signal_number, stage[1])
