"""Examples that lack their image or their labels, kept beside a source of complete ones."""

import bisect
import dataclasses
import itertools
import pathlib
from typing import Any

from symmflow_jax.data.fingerprint import files_of
from symmflow_jax.data.source import Source
from symmflow_jax.flow.state import JointState
from symmflow_jax.semantics.labels import LabelSchema


@dataclasses.dataclass(frozen=True)
class Incomplete:
    """Examples that lack a component.

    Attributes:
        source: the examples; elements have only what is there.
        complete: share of them that have each component.
    """

    source: Source
    complete: JointState


def incomplete_of(source: Source) -> Incomplete | None:
    """The incomplete examples that a source found; None if it looked for none, or has none.

    They are the attribute `incomplete` of a source.
    """
    return getattr(source, "incomplete", None)


class Chain:
    """Sources one after the other.

    Args:
        sources: the sources, each with at least one example.
    """

    def __init__(self, sources: tuple[Source, ...]):
        self._sources = sources
        self._ends = list(itertools.accumulate(len(source) for source in sources))

    @property
    def schemas(self) -> dict[str, LabelSchema]:
        """The schemas of all sources; later ones count where a key has several."""
        found: dict[str, LabelSchema] = {}
        for source in self._sources:
            found |= source.schemas
        return found

    @property
    def files(self) -> tuple[pathlib.Path, ...]:
        """The files of all sources."""
        return tuple(file for source in self._sources for file in files_of(source))

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int) -> dict[str, Any]:
        number = bisect.bisect_right(self._ends, index)
        start = self._ends[number - 1] if number else 0
        return self._sources[number][index - start]
