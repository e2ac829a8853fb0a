"""What all processes of a run must have in common."""

import pytest

from symmflow_jax.config.reading import cluster_flags
from symmflow_jax.runtime.cluster import session


@pytest.fixture
def first(monkeypatch):
    """A function that sets the config of process 0; this one is process 1."""

    class Other:
        num_processes = 2
        config: dict = {}

        def exchange(self, name, own):
            return [self.config, own]

    other = Other()
    monkeypatch.setattr(session, "current", lambda: other)
    return lambda config: setattr(other, "config", config)


def test_another_config_than_that_of_process_0_is_named(first):
    first({"train.batch_size": 16, "seed": 0})
    message = r"config\.train\.batch_size is 8 here, and 16 in process 0; give all processes the"
    with pytest.raises(ValueError, match=message):
        cluster_flags.check_same({"train": {"batch_size": 8}, "seed": 0})


def test_the_same_config_passes_and_files_may_lie_elsewhere(first):
    first({"data.dir": "/mnt/a", "data.image_size": [8, 8], "data.num_workers": 2})
    cluster_flags.check_same({"data": {"dir": "/mnt/b", "image_size": (8, 8), "num_workers": 0}})


def test_a_process_alone_has_nothing_to_compare():
    cluster_flags.check_same({"seed": 3})
