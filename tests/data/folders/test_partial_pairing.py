"""Pairs by names, and the rest."""

import pathlib

import pytest

from symmflow_jax.data.folders.listing import Listing
from symmflow_jax.data.folders.partial_pairing import pair_what_fits


def _listing(*names: str) -> Listing:
    return Listing(pathlib.Path("x"), {name: pathlib.Path("x", name) for name in names}, {}, {})


@pytest.mark.parametrize(
    ("images", "masks", "pairs", "rest"),
    [
        ("abc", "bcd", ["b-b", "c-c"], ("a", "d")),
        (["a", "b"], ["b_mask", "c_mask"], ["b-b_mask"], ("a", "c_mask")),
        (["one/a", "two/b"], ["a", "c"], ["one/a-a"], ("two/b", "c")),
        ("ab", "cd", [], ("ab", "cd")),
    ],
)
def test_the_reading_with_most_pairs_counts(images, masks, pairs, rest):
    found = pair_what_fits(_listing(*images), _listing(*masks))
    named = [f"{a.relative_to('x')}-{b.relative_to('x')}" for a, b in found.pairs]
    assert named == pairs
    for files, names in zip((found.images, found.masks), rest, strict=True):
        expected = list(names) if "/" not in names and "_" not in names else [names]
        assert [str(path.relative_to("x")) for path in files] == expected
