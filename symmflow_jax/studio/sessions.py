"""What the server remembers of each browser: photos and results, in bounded memory."""

import collections
import dataclasses
import http
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from symmflow_jax.studio.refusal import Refusal
from symmflow_jax.studio.web.uploads import Photo

MOST_SESSIONS = 64
MOST_BYTES = 48 * 2**20
"""Bytes of one session; the oldest results go first."""

MOST_PHOTOS = 8
SECONDS_TO_LIVE = 4 * 3600.0
"""A session without a request for so long is forgotten."""

_SECONDS_TO_STAY = 15 * 60.0
"""A session without a request for so long makes room for a new one."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A result that the page can show again and download.

    Attributes:
        kind: what was done, such as "edit".
        about: values for the page: the settings, sizes and times.
        files: contents by file name.
        is_live: True if the next live result takes its place.
        id: a name that cannot be guessed.
        time: seconds since 1970.
    """

    kind: str
    about: dict[str, Any]
    files: dict[str, bytes]
    is_live: bool = False
    id: str = dataclasses.field(default_factory=lambda: secrets.token_urlsafe(12))
    time: float = dataclasses.field(default_factory=time.time)


class Session:
    """What belongs to one browser."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(32)
        self.used = time.monotonic()
        self._photos: collections.OrderedDict[str, Photo] = collections.OrderedDict()
        self._entries: collections.OrderedDict[str, Entry] = collections.OrderedDict()
        self._lock = threading.Lock()

    def add_photo(self, photo: Photo) -> str:
        """Remembers a photo, and forgets the oldest if there are too many; returns its id."""
        photo_id = secrets.token_urlsafe(12)
        with self._lock:
            self._photos[photo_id] = photo
            while len(self._photos) > MOST_PHOTOS:
                self._photos.popitem(last=False)
            self._bound()
        return photo_id

    def photo(self, photo_id: object) -> Photo:
        """A photo by its id.

        Raises:
            Refusal: if the session has no such photo (any more); the page then sends it again.
        """
        with self._lock:
            photo = self._photos.get(photo_id) if isinstance(photo_id, str) else None
            if photo is None:
                raise Refusal("The photo is no longer here; send it again.", http.HTTPStatus.GONE)
            self._photos.move_to_end(str(photo_id))
        return photo

    def add(self, entry: Entry) -> None:
        """Remembers a result; a live one takes the place of the last live one."""
        with self._lock:
            if entry.is_live:
                for other in [key for key, value in self._entries.items() if value.is_live]:
                    del self._entries[other]
            self._entries[entry.id] = entry
            self._bound()

    def entry(self, entry_id: str) -> Entry:
        """A result by its id.

        Raises:
            Refusal: if the session has no such result (any more).
        """
        with self._lock:
            entry = self._entries.get(entry_id)
        if entry is None:
            raise Refusal("The result is no longer here.", http.HTTPStatus.GONE)
        return entry

    def remove(self, entry_id: str) -> None:
        """Forgets a result, if it is there."""
        with self._lock:
            self._entries.pop(entry_id, None)

    def entries(self) -> list[Entry]:
        """All results, the oldest first."""
        with self._lock:
            return list(self._entries.values())

    @property
    def num_bytes(self) -> int:
        """Bytes of photos and results; what several of them share counts once."""
        contents = [photo.content for photo in self._photos.values()]
        pixels = sum(photo.pixels.nbytes for photo in self._photos.values())
        for entry in self._entries.values():
            contents += entry.files.values()
        return pixels + sum(len(content) for content in {id(c): c for c in contents}.values())

    def _bound(self) -> None:
        """Forgets the oldest results, then the oldest photos; the newest of each stays."""
        while self.num_bytes > MOST_BYTES and len(self._entries) > 1:
            self._entries.popitem(last=False)
        while self.num_bytes > MOST_BYTES and len(self._photos) > 1:
            self._photos.popitem(last=False)


class Sessions:
    """All sessions, by the token that the browser keeps.

    Args:
        is_busy: tells by a token if a session has work that waits or runs; such sessions stay.
    """

    def __init__(self, is_busy: Callable[[str], bool]):
        self._sessions: dict[str, Session] = {}
        self._is_busy = is_busy
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._sessions)

    def find(self, token: str | None) -> Session | None:
        """The session of a token, or None; it counts as used now."""
        with self._lock:
            session = self._sessions.get(token) if token else None
            if session is not None and self._is_older(session, SECONDS_TO_LIVE):
                del self._sessions[session.token]
                return None
            if session is not None:
                session.used = time.monotonic()
            return session

    def create(self) -> Session:
        """A new session.

        Raises:
            Refusal: if there are too many, and all of them are in use.
        """
        with self._lock:
            for session in list(self._sessions.values()):
                if self._is_older(session, SECONDS_TO_LIVE):
                    del self._sessions[session.token]
            if len(self._sessions) >= MOST_SESSIONS:
                self._make_room()
            created = Session()
            self._sessions[created.token] = created
            return created

    def _make_room(self) -> None:
        oldest = min(self._sessions.values(), key=lambda session: session.used)
        if not self._is_older(oldest, _SECONDS_TO_STAY):
            raise Refusal(
                f"{MOST_SESSIONS} people use this studio now; try again in some minutes.",
                http.HTTPStatus.SERVICE_UNAVAILABLE,
            )
        del self._sessions[oldest.token]

    def _is_older(self, session: Session, seconds: float) -> bool:
        idle = time.monotonic() - session.used
        return idle > seconds and not self._is_busy(session.token)
