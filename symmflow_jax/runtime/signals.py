"""SIGTERM and Ctrl-C as requests to save and leave."""

import signal
from types import FrameType


class Interrupted(SystemExit):
    """Raised after saving; ends the process with the shell's code for the signal."""

    def __init__(self, signal_number: int):
        super().__init__(128 + signal_number)


class InterruptionRequest:
    """A context in which SIGTERM and SIGINT are noted instead of obeyed.

    A second signal is obeyed at once, for those who cannot wait.

    Attributes:
        signal_number: the signal that came, or None.
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
