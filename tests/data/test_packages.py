"""Optional packages."""

import json

import pytest

from symmflow_jax.data.packages import package
from symmflow_jax.data.source import DataError


def test_a_package_that_lacks_is_told_with_its_extra():
    assert package("json", "coco", "This") is json
    with pytest.raises(DataError, match=r"This needs the package no_such, .*jax\[coco\]'"):
        package("no_such.part", "coco", "This")
