"""Folders that only some processes see."""

import pytest

from symmflow_jax.runtime import shared_folder
from symmflow_jax.runtime.cluster import session


@pytest.fixture
def answers(monkeypatch):
    """A function that sets what a second process answers to each exchange."""

    def put(**values) -> None:
        names = {name.replace("_", " "): value for name, value in values.items()}
        monkeypatch.setattr(session, "num_processes", lambda: 2)
        monkeypatch.setattr(session, "exchange", lambda name, own: [own, names.get(name, own)])

    return put


def test_a_process_alone_writes_nothing(tmp_path):
    shared_folder.check(tmp_path)
    shared_folder.check_same_step(tmp_path, 3)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_all_see_is_left_as_it_was(answers, tmp_path):
    answers(latest_step=3, seen=True)
    shared_folder.check(tmp_path)
    shared_folder.check_same_step(tmp_path, 3)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_one_host_is_refused(answers, tmp_path):
    answers(seen=False)
    message = r"Process 1 of 2 cannot see what process 0 writes to .*file system that all hosts"
    with pytest.raises(ValueError, match=message):
        shared_folder.check(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_checkpoints_of_other_steps_are_refused(answers, tmp_path):
    answers(latest_step=None)
    message = "is of step 40 for process 0, and none for process 1. All processes need the same"
    with pytest.raises(ValueError, match=message):
        shared_folder.check_same_step(tmp_path, 40)


def test_another_token_is_not_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(shared_folder, "_PATIENCE", 0.05)
    (tmp_path / "hosts.token").write_text("of an earlier check")
    assert not shared_folder._is_seen(tmp_path / "hosts.token", "new")
