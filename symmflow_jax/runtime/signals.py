"""SIGTERM and SIGINT (Ctrl-C) as requests to save and exit."""

import signal
from types import FrameType


class Interrupted(SystemExit):
    """Exits the process after saving, with the exit code 128 + signal number."""

    def __init__(self, signal_number: int):
        super().__init__(128 + signal_number)


class InterruptionRequest:
    """Context manager that records SIGTERM and SIGINT instead of ending the process.

    A second signal of the same kind ends the process immediately.

    Attributes:
        signal_number: number of the received signal, or None.
    """

    def __init__(self):
        self.signal_number: int | None = None
        self._previous: dict[int, object] = {}

    def __enter__(self) -> "InterruptionRequest":
        for number in (signal.SIGTERM, signal.SIGINT):
            self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *exception) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _note(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.signal_number = number
        signal.signal(number, signal.SIG_DFL)
