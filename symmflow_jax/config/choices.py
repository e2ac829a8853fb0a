"""Tables of choices: the names that a config value may have, and their constructors.

A table is a dictionary from names to choices. The checks of a config, error messages,
`docs/choices.md` and shared tests read the tables. A new choice needs one new file and one line.
"""

import dataclasses
import difflib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from symmflow_jax.runtime.errors import shown_value


@dataclasses.dataclass(frozen=True)
class Choice:
    """One entry of a table.

    Attributes:
        constructor: a callable, or its location "module:attribute", which is imported at the
            first use.
        summary: short description for the documentation.
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
    """The entry of a table under a name.

    Args:
        table: the choices.
        name: the value in the config.
        key: name of the value in the error message, such as "config.network.name".
        advice: last sentence of the error message.

    Raises:
        ValueError: if there is no such entry; the message lists all names, and a similar one.
    """
    if name not in table:
        similar = difflib.get_close_matches(str(name), table, n=1)
        meant = f" Did you mean {similar[0]!r}?" if similar else ""
        message = f"{key} is {shown_value(name)}; choose one of {listed(table)}.{meant} {advice}"
        raise ValueError(message.rstrip())
    return table[name]


def listed(names: Any) -> str:
    """Names as text for a message; the empty name is shown as "'' (none)"."""
    return ", ".join(name or "'' (none)" for name in names)
