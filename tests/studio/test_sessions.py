"""Sessions: what belongs to one browser, in bounded memory and for a bounded time."""

import time

import numpy as np
import pytest

from symmflow_jax.studio import sessions
from symmflow_jax.studio.refusal import Refusal
from symmflow_jax.studio.sessions import Entry, Session, Sessions
from symmflow_jax.studio.web.uploads import Photo


def _photo(num_bytes: int = 12) -> Photo:
    return Photo("a.png", np.zeros((2, 2, 3), np.uint8), bytes(num_bytes))


def _entry(num_bytes: int = 10, **options) -> Entry:
    return Entry("edit", {}, {"picture_1.png": bytes(num_bytes)}, **options)


@pytest.fixture
def busy() -> set[str]:
    """Tokens of the sessions with work."""
    return set()


@pytest.fixture
def all_sessions(busy) -> Sessions:
    return Sessions(busy.__contains__)


def test_a_session_is_found_by_its_token_alone(all_sessions):
    session = all_sessions.create()
    assert all_sessions.find(session.token) is session
    assert all_sessions.find("other") is all_sessions.find(None) is None
    assert len(session.token) > 40 and session.token != all_sessions.create().token


def test_photos_and_results_are_of_one_session():
    mine, other = Session(), Session()
    photo_id, entry = mine.add_photo(_photo()), _entry()
    mine.add(entry)
    assert mine.photo(photo_id).name == "a.png" and mine.entry(entry.id) is entry
    with pytest.raises(Refusal, match="photo is no longer here; send it again"):
        other.photo(photo_id)
    with pytest.raises(Refusal, match="result is no longer here"):
        other.entry(entry.id)
    with pytest.raises(Refusal, match="photo is no longer here"):
        mine.photo(["no", "text"])


def test_the_oldest_results_make_room(monkeypatch):
    monkeypatch.setattr(sessions, "MOST_BYTES", 100)
    session = Session()
    photo_id = session.add_photo(_photo())
    entries = [_entry(40) for _ in range(4)]
    for entry in entries:
        session.add(entry)
    assert session.entries() == entries[-1:] and session.num_bytes <= 100
    assert session.photo(photo_id)
    session.add(_entry(1000))  # What is newest stays, whatever its size.
    assert len(session.entries()) == 1


def test_what_results_share_counts_once():
    session, content = Session(), bytes(50)
    for name in ("a", "b"):
        session.add(Entry("edit", {}, {name: content}))
    assert session.num_bytes == 50


def test_the_number_of_photos_is_bounded():
    session = Session()
    ids = [session.add_photo(_photo()) for _ in range(sessions.MOST_PHOTOS + 1)]
    with pytest.raises(Refusal):
        session.photo(ids[0])
    assert session.photo(ids[1])


def test_a_live_result_takes_the_place_of_the_last_one():
    session = Session()
    kept, live, next_live = _entry(), _entry(is_live=True), _entry(is_live=True)
    for entry in (live, kept, next_live):
        session.add(entry)
    assert session.entries() == [kept, next_live]
    session.remove(kept.id)
    session.remove("unknown")
    assert session.entries() == [next_live]


def test_an_idle_session_is_forgotten_unless_it_has_work(all_sessions, busy, monkeypatch):
    idle, working = all_sessions.create(), all_sessions.create()
    busy.add(working.token)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + sessions.SECONDS_TO_LIVE + 1)
    assert all_sessions.find(idle.token) is None
    assert all_sessions.find(working.token) is working


def test_people_in_use_are_not_turned_out(all_sessions, monkeypatch):
    monkeypatch.setattr(sessions, "MOST_SESSIONS", 3)
    first, *_ = [all_sessions.create() for _ in range(3)]
    with pytest.raises(Refusal, match="3 people use this studio now"):
        all_sessions.create()
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 16 * 60)
    all_sessions.find(first.token)
    all_sessions.create()
    assert len(all_sessions) == 3 and all_sessions.find(first.token) is first
