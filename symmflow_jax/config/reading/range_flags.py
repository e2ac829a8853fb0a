"""Flags of numbers with a range."""

from typing import Any

from absl import flags

from symmflow_jax.config.schema.ranges import OneOf, Range

# The flags belong to the module that calls `define_number`, which --help shows.
flags.disclaim_key_flags()


def define_number(
    name: str, default: float | None, help_text: str, kind: type, allowed: Range | OneOf
) -> flags.FlagHolder[Any]:
    """Defines a flag of an int or a float in a range; absl's own bounds would let NaN pass.

    Args:
        name: name of the flag.
        default: its default.
        help_text: what it is, for --help.
        kind: int or float.
        allowed: the range.
    """
    parser: flags.ArgumentParser = _RangeParser(kind, allowed)
    return flags.DEFINE(parser, name, default, help_text)


class _RangeParser(flags.ArgumentParser):
    def __init__(self, kind: type, allowed: Range | OneOf):
        self._kind, self._allowed = kind, allowed
        self.syntactic_help = str(allowed)

    def parse(self, argument: Any) -> Any:
        parser = flags.IntegerParser() if self._kind is int else flags.FloatParser()
        try:
            value = parser.parse(argument)
        except (TypeError, ValueError) as error:
            raise ValueError(f"it must be of type {self._kind.__name__}.") from error
        if value not in self._allowed:
            raise ValueError(f"it must be {self._allowed.requirement(value)}.")
        return value

    def flag_type(self) -> str:
        return self._kind.__name__
