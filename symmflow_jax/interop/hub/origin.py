"""Where weights come from: what was given, the commit on the hub, and SHA-256 of the files."""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

from symmflow_jax.interop.folders.needed_files import needed, needed_with
from symmflow_jax.interop.hub import download
from symmflow_jax.interop.hub.address import is_address
from symmflow_jax.interop.hub.download import fetch
from symmflow_jax.runtime import files
from symmflow_jax.runtime.storage.place import is_remote


@dataclasses.dataclass(frozen=True)
class Origin:
    """The source of weights, to be shown and recorded.

    Attributes:
        given: the path or address as it was given.
        commit: the commit on the hub; None for a path.
        hashes: SHA-256 of each file by its name: that of `sha256sum`, and that on the hub's page.
    """

    given: str
    commit: str | None
    hashes: Mapping[str, str]

    def __str__(self) -> str:
        facts = [f"commit {self.commit}"] if self.commit else []
        facts += [
            f"SHA-256 {sha256}" + (f" of {name}" if len(self.hashes) > 1 else "")
            for name, sha256 in self.hashes.items()
        ]
        return f"{self.given} ({', '.join(facts)})" if facts else self.given

    def to_json(self) -> dict[str, Any]:
        """Plain values for a JSON file."""
        return {"given": self.given, "commit": self.commit, "sha256": dict(self.hashes)}


def origin_of(path: str | pathlib.Path) -> Origin:
    """The origin of weights that can be read.

    Args:
        path: a file, a folder of diffusers, or an address of the hub, which is fetched.

    Raises:
        WeightsFileError: as `fetch`.
    """
    if is_address(path):
        fetched = fetch(str(path))
        return Origin(str(path), fetched.commit, fetched.hashes)
    if is_remote(path):
        copy = download.fetched(path)
        return Origin(str(path), None, {copy.name: files.sha256(copy)})
    place = pathlib.Path(path)
    folder = place if place.is_dir() else place.parent
    inside = [file.name for file in folder.iterdir()]
    names = needed(inside) if place.is_dir() else needed_with(place.name, inside)
    return Origin(str(path), None, {name: files.sha256(folder / name) for name in names})
