"""Checkpoints that are written, with their scores."""

import pytest

from symmflow_jax.runs.checkpointing import opening, saving
from symmflow_jax.runtime.errors import CheckpointError
from tests.runs.checkpointing.states import description, state_of


def test_a_score_that_comes_late_counts_like_others(run):
    with opening.open_to_read(run) as manager:
        assert opening.score_of(manager, 3) == 0.4
        assert opening.score_of(manager, 4) is None
    saving.add_score(run, 4, 0.95)
    with opening.open_manager(run, keep=1) as manager:
        assert opening.score_of(manager, 4) == 0.95
        saving.save(manager, state_of(5), description(5), None)
        saving.finish(manager)
        # The former best one is no longer kept, and this one is.
        assert sorted(manager.all_steps()) == [4, 5]
        assert opening.choose_step(manager, "best") == 4
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["4", "5"]


def test_what_cannot_be_written_says_what_is_complete(run):
    message = "could not be written to .*; step 4 is complete"
    with (
        opening.open_manager(run, keep=2) as manager,
        pytest.raises(CheckpointError, match=message),
    ):
        saving.save(manager, state_of(5), {"seed": object()}, None)
        saving.finish(manager)
