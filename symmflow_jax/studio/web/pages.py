"""The files of the page: a fixed table in memory, so that no path of a request reaches the disk."""

import functools
import importlib.resources
from typing import NamedTuple

_KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

INDEX, LOGIN = "index.html", "login.html"

BEFORE_LOGIN = ("style.css", "icon.svg")
"""Files that the page of the password needs."""


class PageFile(NamedTuple):
    """A file of the page, and its kind as HTTP names it."""

    content: bytes
    kind: str


@functools.cache
def page_files() -> dict[str, PageFile]:
    """All files of the page by name."""
    folder = importlib.resources.files("symmflow_jax.studio") / "page"
    return {
        path.name: PageFile(path.read_bytes(), _KINDS[suffix])
        for path in folder.iterdir()
        for suffix in _KINDS
        if path.name.endswith(suffix)
    }
