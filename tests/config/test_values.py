import dataclasses
import math
import operator

import pytest

from symmflow_jax.config import conversion
from symmflow_jax.config.schema.fields import fields_of
from symmflow_jax.config.schema.ranges import OneOf
from symmflow_jax.config.values import Config

_FIELDS = fields_of(Config)
_NUMBERS = {key: field for key, field in _FIELDS.items() if field.kind in (int, float)}


def test_frozen_config_is_frozen_and_hashable():
    config = Config()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.train.batch_size = 3
    assert hash(config) == hash(Config())


def test_every_number_has_its_range():
    without = [key for key, field in _NUMBERS.items() if field.allowed is None]
    assert not without, "give them a type such as Annotated[int, at_least(1)]"


def test_defaults_are_in_their_ranges():
    for key, field in _NUMBERS.items():
        assert all(v in field.allowed for v in field.items(operator.attrgetter(key)(Config())))


def _with(key, value):
    """The default values with another one, as JSON."""
    values = conversion.to_json(Config())
    *sections, name = key.split(".")
    section = values
    for part in sections:
        section = section[part]
    section[name] = value
    return values


def _just_outside(field):
    """The numbers next to the ends of a range, and those that are in none."""
    allowed, whole = field.allowed, field.kind is int
    found = [] if whole else [math.nan, math.inf, -math.inf]
    if isinstance(allowed, OneOf):
        return [*found, min(allowed.values) - 1, max(allowed.values) + 1]
    if allowed.low > -math.inf:
        below = allowed.low - 1 if whole else math.nextafter(allowed.low, -math.inf)
        found.append(float(allowed.low) if allowed.open_low else below)
    if allowed.high < math.inf:
        beyond = allowed.high + 1 if whole else math.nextafter(allowed.high, math.inf)
        found.append(float(allowed.high) if allowed.open_high else beyond)
    if whole:
        found.append(10**30)
    return found


def _on_the_edges(field):
    allowed, whole = field.allowed, field.kind is int
    if isinstance(allowed, OneOf):
        return list(allowed.values)
    found = []
    if allowed.low > -math.inf:
        found.append(math.nextafter(allowed.low, math.inf) if allowed.open_low else allowed.low)
    if allowed.high < math.inf:
        found.append(math.nextafter(allowed.high, -math.inf) if allowed.open_high else allowed.high)
    return [int(value) if whole else value for value in found]


@pytest.mark.parametrize("key", _NUMBERS)
def test_a_number_outside_of_its_range_is_refused_by_name(key):
    field = _NUMBERS[key]
    for number in _just_outside(field):
        given = (number,) if field.is_tuple else number
        with pytest.raises(ValueError) as error:
            conversion.from_json(_with(key, given))
        message = str(error.value)
        assert message.startswith(f"config.{key} is ") and "must be" in message, message
        assert str(number) in message and "\n" not in message


@pytest.mark.parametrize("key", _NUMBERS)
def test_a_number_on_the_edge_is_in_its_range(key):
    field = _NUMBERS[key]
    for number in _on_the_edges(field):
        given = (number,) if field.is_tuple else number
        try:
            conversion.from_json(_with(key, given))
        except ValueError as error:
            # It may be at odds with another number, but it is not out of its own range.
            assert "must be at" not in str(error) and "must be above" not in str(error), error
