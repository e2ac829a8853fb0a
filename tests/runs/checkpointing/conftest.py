"""A run of four checkpoints."""

import pytest

from symmflow_jax.runs.checkpointing import opening, saving
from tests.runs.checkpointing.states import description, state_of


@pytest.fixture
def run(tmp_path):
    """A folder with checkpoints of the steps 1 to 4, the second of which is best; two are kept."""
    with opening.open_manager(tmp_path, keep=2) as manager:
        for step, score in ((1, 0.2), (2, 0.9), (3, 0.4), (4, None)):
            saving.save(manager, state_of(step), description(step), score)
            saving.finish(manager)
    return tmp_path
