"""The fields of a section of the config: type, range and meaning of each key."""

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from symmflow_jax.config.schema.ranges import OneOf, Range


class Meaning(enum.Enum):
    """What a text is, where its type does not say it."""

    PATH = "path of a file or folder"
    WEIGHTS = "path of weights, or their address on the hub"


FilePath = typing.Annotated[str, Meaning.PATH]
"""A path: `~` and `$VARIABLES` in it are expanded, see `runtime.paths`."""

WeightsPath = typing.Annotated[str, Meaning.WEIGHTS]
"""A path of weights, or an address such as `hf:OWNER/NAME/FILE`, see `interop.hub.address`."""


@dataclasses.dataclass(frozen=True)
class Field:
    """A key of the config that holds a value, not a section.

    Attributes:
        kind: type of the value, or of each item of a tuple.
        is_tuple: True for a tuple of any length.
        is_grouped: True if an item of the tuple may be a tuple of values too.
        is_optional: True if the value may be None.
        marks: what `Annotated` adds to the type.
    """

    kind: type
    is_tuple: bool = False
    is_grouped: bool = False
    is_optional: bool = False
    marks: tuple[Any, ...] = ()

    @property
    def allowed(self) -> Range | OneOf | None:
        """The range of the number, or of each number of the tuple; None for other types."""
        return next((mark for mark in self.marks if isinstance(mark, Range | OneOf)), None)

    @property
    def is_path(self) -> bool:
        """True for a path, also of weights."""
        return Meaning.PATH in self.marks or self.is_weights

    @property
    def is_weights(self) -> bool:
        """True for a path of weights, which may be an address on the hub."""
        return Meaning.WEIGHTS in self.marks

    def items(self, value: Any) -> tuple[Any, ...]:
        """The single values of a field: none for None, one if it is no tuple, those of groups."""
        if value is None:
            return ()
        return ungrouped(value) if self.is_tuple else (value,)


def ungrouped(items: Iterable[Any]) -> tuple[Any, ...]:
    """The values of a tuple whose items may be tuples of values: (0, (1, 2)) is (0, 1, 2)."""
    return tuple(value for group in items for value in grouped(group))


def grouped(item: Any) -> tuple[Any, ...]:
    """An item of a tuple that may hold groups, as a tuple: 0 is (0,), and (1, 2) stays."""
    return tuple(item) if isinstance(item, tuple | list) else (item,)


@functools.cache
def fields_of(section: type, prefix: str = "") -> Mapping[str, Field]:
    """The fields of a section and of the sections in it, by dotted key such as "train.clock"."""
    result: dict[str, Field] = {}
    for name, hint in typing.get_type_hints(section, include_extras=True).items():
        if dataclasses.is_dataclass(hint):
            result |= fields_of(typing.cast(type, hint), f"{prefix}{name}.")
        else:
            result[prefix + name] = field_of(hint)
    return types.MappingProxyType(result)


def field_of(hint: Any) -> Field:
    """The field of a type hint, such as `tuple[Annotated[int, at_least(1)], ...]`.

    The union of a type and a tuple of it is an item of a tuple that may be a group.
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        inner = field_of(arguments[0])
        return dataclasses.replace(inner, marks=(*inner.marks, *arguments[1:]))
    if origin in (typing.Union, types.UnionType):
        kinds = [argument for argument in arguments if argument is not types.NoneType]
        inner = field_of(kinds[0])
        if len(kinds) == 2:  # A value, or a tuple of such values.
            assert field_of(kinds[1]) == dataclasses.replace(inner, is_tuple=True)
            return dataclasses.replace(inner, is_grouped=True)
        return dataclasses.replace(inner, is_optional=True)
    if origin is tuple:
        return dataclasses.replace(field_of(arguments[0]), is_tuple=True)
    return Field(hint)
