"""Tables of choices: what one value of a config may be called, and what makes it.

A table is a dictionary from names to choices. The checks of a config, their messages,
`docs/choices.md` and the shared tests read it, so that a new choice is one new file and one line.
"""

import dataclasses
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any, TypeVar


@dataclasses.dataclass(frozen=True)
class Choice:
    """One entry of a table.

    Attributes:
        constructor: what makes it: a callable, or its place "module:attribute", which is imported
            only when it is asked for.
        summary: what it is, in a few words, for the documentation.
    """

    constructor: str | Callable[..., Any]
    summary: str

    def resolve(self) -> Callable[..., Any]:
        """The constructor itself."""
        if isinstance(self.constructor, str):
            return pkgutil.resolve_name(self.constructor)
        return self.constructor


_ChoiceT = TypeVar("_ChoiceT", bound=Choice)


def choose(table: Mapping[str, _ChoiceT], name: str, key: str, advice: str = "") -> _ChoiceT:
    """The entry of a name.

    Args:
        table: the choices.
        name: the value of a config.
        key: what the value is called, such as "config.network.name", for the message.
        advice: a sentence to end the message with.

    Raises:
        ValueError: if there is no such entry; it lists those that there are.
    """
    if name not in table:
        message = f"{key} is {name!r}; choose one of {listed(table)}. {advice}"
        raise ValueError(message.rstrip())
    return table[name]


def listed(names: Any) -> str:
    """Names in a row, for a message; the empty one is called none."""
    return ", ".join(name or "'' (none)" for name in names)
