"""The kinds of input: how a valid one is made, how it is read, and what can be wrong with it."""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

from tests.campaigns.formats import Mutation
from tests.campaigns.mutations import Damage

Make = Callable[[pathlib.Path, int], None]
Read = Callable[[pathlib.Path, int], dict[str, Any]]
Excuse = Callable[[Damage, str], str | None]


def no_excuse(damage: Damage, difference: str) -> str | None:
    """Every change can be seen."""
    del damage, difference
    return None


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of input in files.

    Attributes:
        make: function of an empty folder and the number of a variant; writes a valid input.
        read: function of the folder and the variant, as a command reads it; returns what was
            read, without paths. Errors of single examples may stand for their values.
        variants: number of variants.
        share: share of the cases, relative to that of other kinds.
        damages: mutations that keep to the format, by the ending of the file's name.
        names: what a message may name instead of the file.
        excuse: function of the damage and of the difference; the reason why nobody could see it,
            or None. Asked only if the answer is another and nothing was said.
        targets: function of the relative path of a file that tells if it may be damaged.
    """

    make: Make
    read: Read
    variants: int = 1
    share: float = 1.0
    damages: Mapping[str, tuple[Mutation, ...]] = dataclasses.field(default_factory=dict)
    names: tuple[str, ...] = ()
    excuse: Excuse = no_excuse
    targets: Callable[[str], bool] = lambda name: True
