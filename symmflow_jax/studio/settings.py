"""The settings of the page, each of a few values, so that few programs are compiled."""

import dataclasses
import enum
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from symmflow_jax.methods.editing import Origin
from symmflow_jax.studio.refusal import Refusal

NUM_STEPS = (1, 2, 4, 8, 15, 25, 50)
"""Steps of the solver that the page offers."""

GUIDANCE = (1.0, 1.5, 2.0, 3.0, 5.0)
"""Weights of guidance; 1 is none."""

MOST_VARIANTS = 6
MOST_SEED = 2**32 - 1

T = TypeVar("T")
E = TypeVar("E", bound=enum.Enum)


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a picture is made.

    Attributes:
        num_steps: steps of the solver, one of `NUM_STEPS`.
        guidance: weight of guidance, one of `GUIDANCE`.
        seed: seed of the first variant's noise; the others have the next ones.
        num_variants: number of pictures.
        origin: where an edited picture comes from.
        keeps_unchanged: whether pixels whose class stays are kept exactly.
    """

    num_steps: int = 25
    guidance: float = 1.0
    seed: int = 0
    num_variants: int = 1
    origin: Origin = Origin.PHOTO
    keeps_unchanged: bool = True

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seed of each variant."""
        return tuple((self.seed + n) % (MOST_SEED + 1) for n in range(self.num_variants))

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `read` takes them."""
        return dataclasses.asdict(self) | {"origin": self.origin.value}

    @classmethod
    def read(cls, values: object) -> "Settings":
        """The settings that the page sends; what it leaves out is the default.

        Raises:
            Refusal: for an unknown name or another value.
        """
        values = {} if values is None else values
        if not isinstance(values, Mapping):
            raise Refusal("The settings are no object of JSON.")
        names = [field.name for field in dataclasses.fields(cls)]
        unknown = sorted(set(values) - set(names))
        if unknown:
            raise Refusal(f"There is no setting {unknown[0]!r}; there are {', '.join(names)}.")
        own = cls()
        return cls(
            num_steps=_one_of(values, "num_steps", own.num_steps, NUM_STEPS),
            guidance=_one_of(values, "guidance", own.guidance, GUIDANCE),
            seed=_within(values, "seed", own.seed, 0, MOST_SEED),
            num_variants=_within(values, "num_variants", own.num_variants, 1, MOST_VARIANTS),
            origin=_member(values, "origin", own.origin),
            keeps_unchanged=_one_of(values, "keeps_unchanged", own.keeps_unchanged, (False, True)),
        )


def choices() -> dict[str, Any]:
    """What the page offers, as plain values."""
    return {
        "num_steps": list(NUM_STEPS),
        "guidance": list(GUIDANCE),
        "most_variants": MOST_VARIANTS,
        "most_seed": MOST_SEED,
        "origins": [origin.value for origin in Origin],
        "defaults": Settings().to_json(),
    }


def _one_of(values: Mapping[str, Any], name: str, default: T, allowed: Sequence[T]) -> T:
    value = values.get(name, default)
    for other in allowed:
        # In Python, True equals 1.
        if value == other and isinstance(value, bool) == isinstance(other, bool):
            return other
    shown = ", ".join(map(str, allowed))
    raise Refusal(f"{name} is {_short(value)}; it must be one of {shown}.")


def _within(values: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = values.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Refusal(f"{name} is {_short(value)}; it must be a whole number, {least} to {most}.")
    return value


def _member(values: Mapping[str, Any], name: str, default: E) -> E:
    value = values.get(name, default.value)
    for member in type(default):
        if value == member.value:
            return member
    shown = ", ".join(member.value for member in type(default))
    raise Refusal(f"{name} is {_short(value)}; it must be one of {shown}.")


def _short(value: object) -> str:
    try:
        return repr(value)[:40]
    except ValueError:  # An int of thousands of digits.
        return "a number of thousands of digits"
