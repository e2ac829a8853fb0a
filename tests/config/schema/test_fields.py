"""Fields of a section, as its type hints describe them."""

import dataclasses
from typing import Annotated

from symmflow_jax.config.schema.fields import FilePath, WeightsPath, field_of, fields_of
from symmflow_jax.config.schema.ranges import at_least
from symmflow_jax.config.values import Config

_COUNT = Annotated[int, at_least(1)]


def test_a_hint_gives_type_range_and_meaning():
    for hint in (_COUNT, _COUNT | None, tuple[_COUNT, ...]):
        assert field_of(hint).kind is int and field_of(hint).allowed == at_least(1)
    assert field_of(_COUNT | None).is_optional and not field_of(_COUNT).is_optional
    assert field_of(tuple[_COUNT, ...]).is_tuple and not field_of(_COUNT).is_tuple
    assert field_of(FilePath).is_path and field_of(FilePath).kind is str
    assert field_of(WeightsPath).is_path and field_of(WeightsPath).is_weights
    assert not field_of(FilePath).is_weights
    assert not field_of(str).is_path and field_of(str).allowed is None


def test_the_items_of_a_value():
    assert field_of(tuple[int, ...]).items((1, 2)) == (1, 2)
    assert field_of(int | None).items(None) == ()
    assert field_of(int).items(3) == (3,)


def test_sections_have_dotted_keys():
    @dataclasses.dataclass(frozen=True)
    class Inner:
        size: _COUNT = 1

    @dataclasses.dataclass(frozen=True)
    class Outer:
        inner: Inner = Inner()
        name: str = ""

    assert list(fields_of(Outer)) == ["inner.size", "name"]
    assert {"seed", "train.batch_size", "train.clock_shares.tied"} <= set(fields_of(Config))
