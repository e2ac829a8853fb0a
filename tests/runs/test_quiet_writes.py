"""What the libraries print and log beside the error that they raise."""

import asyncio
import logging

from orbax.checkpoint import checkpoint_manager

from symmflow_jax.runs.quiet_writes import report_failures_once


def test_answers_after_the_end_of_a_loop_are_ignored():
    report_failures_once()
    loop = asyncio.new_event_loop()
    answers = []
    loop.call_soon_threadsafe(answers.append, "in time")
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    loop.call_soon_threadsafe(answers.append, "late")
    assert answers == ["in time"]


def _is_logged(logger: logging.Logger, path: str, message: str) -> bool:
    record = logger.makeRecord(logger.name, logging.ERROR, path, 1, message, (), None)
    return bool(logger.filter(record))


def test_only_messages_of_orbax_and_of_its_loops_are_dropped():
    report_failures_once()
    absl, loops = logging.getLogger("absl"), logging.getLogger("asyncio")
    assert not _is_logged(absl, checkpoint_manager.__file__, "run() raised an exception")
    assert _is_logged(absl, __file__, "run() raised an exception")
    assert not _is_logged(loops, asyncio.__file__, "Task exception was never retrieved")
    assert _is_logged(loops, asyncio.__file__, "Executing a task took 2 seconds")
