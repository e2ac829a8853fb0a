"""Types of numbers that tell their range."""

from typing import Annotated

from symmflow_jax.config.schema.ranges import Range, above, at_least, between, from_to_below

Count = Annotated[int, at_least(1)]
Side = Annotated[int, between(1, 2**15)]
CountOrZero = Annotated[int, at_least(0)]
Positive = Annotated[float, above(0)]
NotNegative = Annotated[float, at_least(0)]
Share = Annotated[float, between(0, 1)]
BelowOne = Annotated[float, from_to_below(0, 1)]
Part = Annotated[float, Range(0, 1, open_low=True, open_high=True)]
