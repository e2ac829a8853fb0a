"""Addresses of weights on the Hugging Face hub: `hf:OWNER/NAME/FILE@REVISION`."""

import dataclasses
import os
import pathlib
import re
import urllib.parse

from symmflow_jax.interop.torch_files import WeightsFileError
from symmflow_jax.runtime.errors import shown_value

PREFIX = "hf:"
"""What an address begins with."""

FORM = (
    "hf:OWNER/NAME/FILE, or hf:OWNER/NAME/FOLDER for a folder of diffusers (hf:OWNER/NAME if that "
    "is the whole repository), with @REVISION at the end for a branch, a tag or a commit"
)
"""The forms of an address, for messages."""


@dataclasses.dataclass(frozen=True)
class Address:
    """A file or folder in a repository of models.

    Attributes:
        repository: owner and name, such as "ocaetas/SymmFlow".
        path: file or folder in it; "" for the whole repository.
        revision: branch, tag or commit; None for the default branch.
    """

    repository: str
    path: str
    revision: str | None

    def __str__(self) -> str:
        place = f"{self.repository}/{self.path}" if self.path else self.repository
        return f"{PREFIX}{place}{f'@{self.revision}' if self.revision else ''}"

    @property
    def is_file(self) -> bool:
        """True if its name is that of a file of weights; only the hub knows it for sure."""
        return has_suffix(self.path)

    @property
    def url(self) -> str:
        """Where a browser finds the file, or the list of files of the folder."""
        kind = "resolve" if self.is_file else "tree"
        revision = urllib.parse.quote(self.revision or "main", safe="")
        path = f"/{urllib.parse.quote(self.path)}" if self.path else ""
        return f"{endpoint()}/{self.repository}/{kind}/{revision}{path}"


def has_suffix(name: str) -> bool:
    """True for the name of a file of weights."""
    return name.endswith((".bin", ".ckpt", ".pt", ".pth", ".safetensors"))


def is_address(path: str | pathlib.Path) -> bool:
    """True for a text that begins with `hf:`; a file of such a name is written `./hf:...`."""
    return str(path).startswith(PREFIX)


def parse(text: str) -> Address:
    """The address that a text stands for.

    Raises:
        WeightsFileError: if the text has another form; the message gives the forms.
    """
    place, at, revision = text.removeprefix(PREFIX).partition("@")
    parts = place.removesuffix("/").split("/")
    repository, path = parts[:2], parts[2:]
    names_are_valid = len(repository) == 2 and all(_NAME.fullmatch(part) for part in repository)
    if not names_are_valid or any(part in ("", ".", "..") for part in path):
        raise WeightsFileError(f"{shown_value(text)} is no address of weights; write {FORM}.")
    if at and not _REVISION.fullmatch(revision):
        raise WeightsFileError(
            f"{shown_value(text)} has no revision after its @; write {FORM}, or leave the @ out."
        )
    return Address("/".join(repository), "/".join(path), revision or None)


def is_valid(text: str) -> bool:
    """True for an address of a right form."""
    try:
        return is_address(text) and bool(parse(text))
    except WeightsFileError:
        return False


def check(path: str | pathlib.Path) -> None:
    """Raises a WeightsFileError for a wrong address or a link; nothing is downloaded."""
    if is_address(path):
        parse(str(path))
    else:
        refuse_link(path)


def refuse_link(path: str | pathlib.Path) -> None:
    """Raises a WeightsFileError for a link to a file, with the address to write instead."""
    link = _LINK.match(str(path))
    if link is None:
        return
    found = _PAGE.match(link["rest"])
    if found is None:
        raise WeightsFileError(
            f"{shown_value(str(path))} is a link, and only weights of the Hugging Face hub are "
            f"fetched ({FORM}). Download the file and give its path."
        )
    revision = f"@{found['revision']}" if found["revision"] != "main" else ""
    raise WeightsFileError(
        f"{shown_value(str(path))} is a link; write "
        f"{PREFIX}{found['repository']}/{urllib.parse.unquote(found['path'])}{revision}."
    )


def endpoint() -> str:
    """The address of the hub: `HF_ENDPOINT`, as for the library huggingface_hub."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


_NAME = re.compile(r"[A-Za-z0-9_][\w.-]*", re.ASCII)
_REVISION = re.compile(r"[\w./-]+", re.ASCII)
# A path has a single slash where the link has two.
_LINK = re.compile(r"https?:/+(?P<rest>.*)")
_PAGE = re.compile(
    r"[^/]+/(?P<repository>[^/]+/[^/]+)/(?:resolve|blob|raw|tree)/(?P<revision>[^/]+)/"
    r"(?P<path>[^?]+)"
)
