"""What the libraries print and log beside the error that they raise."""

import asyncio
import logging

import pytest
from orbax.checkpoint import checkpoint_manager

from symmflow_jax.runs.quiet_failures import failures_silenced, silence_failures


@pytest.fixture(autouse=True)
def usual_loops():
    """The loops of a new program, whatever earlier tests have done to them."""
    policy = asyncio.get_event_loop_policy()
    asyncio.set_event_loop_policy(None)
    silence_failures.cache_clear()
    yield
    asyncio.set_event_loop_policy(policy)


def _answers() -> list[str]:
    """What arrives in a loop that ends between two answers."""
    loop = asyncio.new_event_loop()
    answers: list[str] = []
    loop.call_soon_threadsafe(answers.append, "in time")
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    loop.call_soon_threadsafe(answers.append, "late")
    return answers


def test_answers_after_the_end_of_a_loop_are_ignored():
    with failures_silenced():
        assert _answers() == ["in time"]
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        _answers()
    silence_failures()
    with failures_silenced():
        assert _answers() == ["in time"]
    assert _answers() == ["in time"]


def _is_logged(logger: logging.Logger, path: str, message: str) -> bool:
    record = logger.makeRecord(logger.name, logging.ERROR, path, 1, message, (), None)
    return bool(logger.filter(record))


def test_only_messages_of_orbax_and_of_its_loops_are_dropped():
    silence_failures()
    absl, loops = logging.getLogger("absl"), logging.getLogger("asyncio")
    assert not _is_logged(absl, checkpoint_manager.__file__, "run() raised an exception")
    assert _is_logged(absl, __file__, "run() raised an exception")
    assert not _is_logged(loops, asyncio.__file__, "Task exception was never retrieved")
    assert _is_logged(loops, asyncio.__file__, "Executing a task took 2 seconds")
