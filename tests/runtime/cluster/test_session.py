"""Commands in one process; those in several are in `tests/test_together.py`."""

import pytest

from symmflow_jax.runtime.cluster import session
from symmflow_jax.runtime.signals import InterruptionRequest


def test_without_a_session_everything_is_local():
    assert session.current() is None
    assert session.num_processes() == 1
    assert session.exchange("step", 3) == [3]
    assert isinstance(session.stops(), InterruptionRequest)
    with session.stage():
        pass


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("UNKNOWN: Gloo AllGather failed: Connection closed by peer [127.0.0.1]:37507", True),
        ("config.train.batch_size is 10, which 4 devices do not divide", False),
    ],
)
def test_an_error_that_a_loss_causes_is_told_from_others(text, expected):
    assert session.may_be_of_others(ValueError(text)) == expected
    wrapped = RuntimeError("A checkpoint could not be written")
    wrapped.__cause__ = ValueError(text)
    assert session.may_be_of_others(wrapped) == expected
