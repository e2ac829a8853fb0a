"""Flags and keys that were given to a command which does not use them."""

import logging
from collections.abc import Mapping, Sequence

from absl import flags

_logger = logging.getLogger(__name__)


def name_unused_keys(unused: Sequence[str]) -> None:
    """Warns of given keys of the config that the command does not use."""
    if unused:
        keys = ", ".join(f"config.{key}" for key in dict.fromkeys(unused))
        _logger.warning("Not used by this command: %s.", keys)


def refuse_flags_of_others(kind: str, name: str, users: Mapping[str, Sequence[str]]) -> None:
    """Raises a ValueError for a given flag that the chosen mode or format would ignore.

    Args:
        kind: "mode" or "format".
        name: the chosen one.
        users: the flags of each, by name.
    """
    for flag in {flag for used in users.values() for flag in used} - set(users[name]):
        if flags.FLAGS[flag].present:
            others = [other for other, used in users.items() if flag in used]
            raise ValueError(
                f"--{flag} is not used by --{kind}={name}, but by {', '.join(others)}; leave it "
                f"out, or choose another --{kind}."
            )
