"""The progress line of training: speed and remaining time."""

import math
import time


class Progress:
    """Measures speed and remaining time, without pauses for evaluation.

    Args:
        num_steps: steps of the whole training.
        batch_size: examples per step.
        step: step at which this process starts.
    """

    def __init__(self, num_steps: int, batch_size: int, step: int):
        self._num_steps, self._batch_size = num_steps, batch_size
        self._step, self._time = step, time.monotonic()
        self._started = self._time
        self._paused_at = 0.0

    def advance(self, step: int) -> str:
        """The progress line at a step, with the speed in images per second since the last line."""
        now = time.monotonic()
        speed = (step - self._step) / max(now - self._time, 1e-9)
        self._step, self._time = step, now
        left = (self._num_steps - step) / speed if speed else math.inf
        return (
            f"step {step}/{self._num_steps}  {speed * self._batch_size:.0f} images/s  "
            f"{_clock(left)} left"
        )

    @property
    def seconds(self) -> float:
        """Time since the start, without pauses."""
        return time.monotonic() - self._started

    def pause(self) -> None:
        """Stops the clock."""
        self._paused_at = time.monotonic()

    def resume(self) -> None:
        """Restarts the clock after `pause`."""
        pause = time.monotonic() - self._paused_at
        self._time += pause
        self._started += pause


def _clock(seconds: float) -> str:
    if not math.isfinite(seconds):
        return "?"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m{seconds:02d}s"
