"""The studies at a tiny size: what they find means nothing, its form does."""

import re
from collections.abc import Callable
from typing import Any

import pytest

MEAN_AND_SPREAD = r"-?\d\.\d{4} ± \d\.\d{4}"


@pytest.fixture(scope="session")
def tiny() -> dict[str, Any]:
    """Changes of a config that make a study one of seconds."""
    return {
        "data.train_size": 32,
        "data.eval_size": 20,
        "network.channels": 4,
        "network.num_res_blocks": 1,
        "train.batch_size": 16,
        "train.num_epochs": 1.0,
        "train.warmup_epochs": 0.5,
    }


@pytest.fixture(scope="session")
def row() -> Callable[[str, str], list[str]]:
    """A function from a text and a name to the cells of the one row of that name."""

    def find(text: str, name: str) -> list[str]:
        (line,) = (line for line in text.splitlines() if line.startswith(f"| {name} |"))
        return line.strip("|").split("|")[1:]

    return find


@pytest.fixture(scope="session")
def check_row(row) -> Callable[[str, str, int], None]:
    """A function that checks that a row has so many means with their spreads."""

    def check(text: str, name: str, num_cells: int) -> None:
        cells = row(text, name)
        assert len(cells) == num_cells
        assert all(re.fullmatch(f" {MEAN_AND_SPREAD} ", cell) for cell in cells)

    return check
