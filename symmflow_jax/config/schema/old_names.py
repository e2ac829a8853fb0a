"""Former names of config keys and values.

Saved configs of runs are converted silently. An old name in a new config raises an error that
gives the new name.
"""

import copy
from typing import Any

KEYS = {
    "train.share_at_one": "train.prob_at_one",
    "semantics.amplitude": "semantics.label_scale",
    "eval.num_draws": "eval.ensemble_size",
}
"""New keys by old key."""

VALUES = {
    "train.clock": {"free": "independent"},
    "eval.clock": {"held": "clean"},
}
"""New values by key and old value."""

BEFORE = {"data.ignored": "class"}
"""What runs did before there was a key, where its default is something else."""

_SHARES = ("tied", "independent", "clean_image", "clean_semantics")
_SHARES_KEY = "train.clock_shares"


def renewed(values: dict[str, Any]) -> dict[str, Any]:
    """A copy of the nested values of a saved config under current names."""
    if not isinstance(values, dict):
        return values  # Whoever reads the values says what they should be.
    values = copy.deepcopy(values)
    for old, new in KEYS.items():
        section, name = _section(values, old)
        if name in section:
            new_section, new_name = _section(values, new)
            new_section[new_name] = section.pop(name)
    for key, names in VALUES.items():
        section, name = _section(values, key)
        if isinstance(section.get(name), str):
            section[name] = names.get(section[name], section[name])
    section, name = _section(values, _SHARES_KEY)
    shares = section.get(name)
    if isinstance(shares, list | tuple) and len(shares) == len(_SHARES):
        section[name] = dict(zip(_SHARES, shares, strict=True))
    for key, value in BEFORE.items():
        section, name = _section(values, key)
        if section:
            section.setdefault(name, value)
    return values


def _section(values: dict[str, Any], key: str) -> tuple[dict[str, Any], str]:
    """The section of a key, empty if there is none, and the name of the key in it."""
    section, name = key.split(".")
    found = values.get(section)
    return (found if isinstance(found, dict) else {}), name


def advice(key: str, value: Any = None) -> str:
    """A sentence with the new name of an old key or value; empty for current names.

    Args:
        key: a key such as "train.share_at_one".
        value: the value of the key.
    """
    if key in KEYS:
        return f"It is called config.{KEYS[key]} now."
    if key == _SHARES_KEY:
        return f"It has a key for each share now: {', '.join(f'{key}.{n}' for n in _SHARES)}."
    new = VALUES.get(key, {}).get(value) if isinstance(value, str) else None
    return f"{value!r} is called {new!r} now." if new else ""
