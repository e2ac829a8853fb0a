"""Keys and values of configs under the names that they had before.

What was saved beside a run is renewed silently; who writes an old name today is told the new one.
"""

import copy
from typing import Any

KEYS = {
    "train.share_at_one": "train.prob_at_one",
    "semantics.amplitude": "semantics.label_scale",
    "eval.num_draws": "eval.ensemble_size",
}
"""By the old key, the new one."""

VALUES = {
    "train.clock": {"free": "independent"},
    "eval.clock": {"held": "clean"},
}
"""By key and old value, the new one."""

_SHARES = ("tied", "independent", "clean_image", "clean_semantics")
_SHARES_KEY = "train.clock_shares"


def renewed(values: dict[str, Any]) -> dict[str, Any]:
    """Nested values of a saved config under the names of now; the argument stays as it is."""
    values = copy.deepcopy(values)
    for old, new in KEYS.items():
        section, name = old.split(".")
        if name in values.get(section, {}):
            new_section, new_name = new.split(".")
            values.setdefault(new_section, {})[new_name] = values[section].pop(name)
    for key, names in VALUES.items():
        section, name = key.split(".")
        found = values.get(section, {}).get(name)
        if found in names:
            values[section][name] = names[found]
    section, name = _SHARES_KEY.split(".")
    shares = values.get(section, {}).get(name)
    if isinstance(shares, list | tuple):
        values[section][name] = dict(zip(_SHARES, shares, strict=True))
    return values


def advice(key: str, value: Any = None) -> str:
    """A sentence with the new name of an old key or value; empty if it has none.

    Args:
        key: such as "train.share_at_one".
        value: what it was set to, if the key itself is not old.
    """
    if key in KEYS:
        return f"It is called config.{KEYS[key]} now."
    if key == _SHARES_KEY:
        return f"It has a key for each share now: {', '.join(f'{key}.{n}' for n in _SHARES)}."
    new = VALUES.get(key, {}).get(value) if isinstance(value, str) else None
    return f"{value!r} is called {new!r} now." if new else ""
