"""All processes stop at one place, whatever their moments are."""

import functools
import random
import threading
import time

import pytest

from symmflow_jax.runtime.cluster.departure import Departure, Stopped


class _Meeting:
    """An exchange of places between threads."""

    def __init__(self, count: int):
        self._barrier = threading.Barrier(count)
        self._places: list[int] = []

    def agree(self, place: int) -> list[int]:
        self._places.append(place)
        self._barrier.wait(10)
        return list(self._places)


class _Ended(Exception):
    pass


class _Process(threading.Thread):
    """Steps of 1 to 40, with a stage after every tenth, and a stage at the end."""

    def __init__(self, meeting: _Meeting, rng: random.Random, *, signal_after: float):
        super().__init__(daemon=True)
        self.departure = Departure(meeting.agree, self._stop)
        self.saved: int | None = None
        self.place = 0
        self.ended = threading.Event()
        self._pauses = [rng.uniform(0, 0.004) for _ in range(60)]
        threading.Timer(signal_after, self.departure.leave, [15]).start()

    def _stop(self, number: int, save) -> None:
        save()
        self.ended.set()

    def run(self) -> None:
        try:
            with self.departure.stage(-1, lambda: self._save(0)):
                time.sleep(self._pauses.pop())
            for place in range(1, 41):
                time.sleep(self._pauses.pop())
                if self.departure.passes(place) is not None:
                    self._save(place)
                    self.ended.set()
                    return
                self.place = place
                if place % 10 == 0:
                    with self.departure.stage(place, functools.partial(self._save, place)):
                        time.sleep(self._pauses.pop())
            with self.departure.stage(41, lambda: self._save(40)):
                time.sleep(self._pauses.pop())
        except Stopped:
            self._save(self.place)
        self.ended.set()

    def _save(self, place: int) -> None:
        self.saved = place


@pytest.mark.parametrize("seed", range(12))
def test_all_processes_save_the_same_step(seed):
    rng = random.Random(seed)
    meeting, moment = _Meeting(3), rng.uniform(0, 0.1)
    # The signal is heard at slightly different times.
    runs = [_Process(meeting, rng, signal_after=moment + rng.uniform(0, 0.01)) for _ in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        assert run.ended.wait(10)
    assert len({run.saved for run in runs}) == 1


def test_a_stage_is_ended_where_it_is():
    ended = threading.Event()
    saved = []
    departure = Departure(lambda place: [place], lambda number, save: (save(), ended.set()))

    def run():
        with departure.stage(3, lambda: saved.append(3)):
            time.sleep(0.05)
        saved.append("went on")

    threading.Thread(target=run, daemon=True).start()
    time.sleep(0.02)
    departure.leave(15)
    assert ended.wait(5)
    time.sleep(0.1)  # The stage does not come to its end.
    assert saved == [3]


def test_a_stage_behind_the_place_does_not_begin():
    departure = Departure(lambda place: [place], lambda number, save: None)
    assert departure.passes(1) is None
    departure.leave(2)
    with pytest.raises(Stopped) as stopped, departure.stage(2, lambda: None):
        pytest.fail("began")
    assert stopped.value.signal_number == 2


def test_a_process_behind_goes_on_to_the_place_of_the_others():
    departure = Departure(lambda place: [place, 7], lambda number, save: None)
    departure.leave(15)
    assert [departure.passes(place) for place in (5, 6, 7)] == [None, None, 15]
