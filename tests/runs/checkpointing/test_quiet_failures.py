"""What the libraries print and log beside the error that they raise."""

import asyncio
import gc
import logging

import pytest
from orbax.checkpoint import checkpoint_manager

from symmflow_jax.runs.checkpointing.quiet_failures import failures_silenced, silence_failures


@pytest.fixture(autouse=True)
def usual_loops():
    """The loops of a new program, whatever earlier tests have done to them."""
    policy = asyncio.get_event_loop_policy()
    absl = logging.getLogger("absl")
    filters, absl.filters = absl.filters, []
    asyncio.set_event_loop_policy(None)
    silence_failures.cache_clear()
    yield
    asyncio.set_event_loop_policy(policy)
    absl.filters = filters


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


def test_failures_that_nobody_waits_for_are_not_logged(caplog):
    def forgotten(message: str) -> None:
        loop = asyncio.new_event_loop()
        loop.create_future().set_exception(ValueError(message))
        loop.call_exception_handler({"message": f"{message}: another fault"})
        loop.close()
        gc.collect()

    forgotten("of others")
    with failures_silenced():
        forgotten("of ours")
    assert sorted(record.getMessage().split("\n")[0] for record in caplog.records) == [
        "Future exception was never retrieved",
        "of others: another fault",
        "of ours: another fault",
    ]


def _is_logged(path: str) -> bool:
    absl = logging.getLogger("absl")
    record = absl.makeRecord(absl.name, logging.ERROR, path, 1, "raised an exception", (), None)
    return bool(absl.filter(record))


def test_only_messages_of_orbax_are_dropped():
    with failures_silenced():
        assert not _is_logged(checkpoint_manager.__file__)
        assert _is_logged(__file__)
    assert _is_logged(checkpoint_manager.__file__)
    silence_failures()
    assert not _is_logged(checkpoint_manager.__file__)
    assert _is_logged(__file__)
