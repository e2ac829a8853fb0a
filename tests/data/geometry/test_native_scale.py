"""The scale at which a model sees its training pictures."""

import numpy as np
import pytest

from symmflow_jax.data.geometry.fit import AtScale, Stretch
from symmflow_jax.data.geometry.native_scale import native_scale
from symmflow_jax.data.pipeline import Preparation
from symmflow_jax.data.source import DataError


class _Pictures:
    schemas = {}

    def __init__(self, *sides):
        self._sides = sides

    def __len__(self):
        return len(self._sides)

    def __getitem__(self, index):
        if self._sides[index] is None:
            raise DataError("no picture")
        if not self._sides[index]:
            return {"mask": np.zeros((500, 500), np.int32)}
        return {"image": np.zeros((*self._sides[index], 3), np.uint8)}


def test_it_is_the_median_of_the_pictures_that_can_be_read():
    preparation = Preparation("mask", (32, 32), 3)
    source = _Pictures((32, 32), None, (64, 90), (64, 64), (), (320, 320))
    assert native_scale(source, preparation) == 0.5
    assert native_scale(_Pictures(None), preparation) is None


def test_both_axes_of_a_stretched_picture_count():
    preparation = Preparation("mask", (32, 32), 3, fit=Stretch())
    assert native_scale(_Pictures((32, 128)), preparation) == pytest.approx(0.5)


def test_windows_have_the_scale_that_they_are_cut_at():
    preparation = Preparation("mask", (32, 32), 3, fit=AtScale(0.25, 1.0))
    assert native_scale(_Pictures((500, 600)), preparation) == pytest.approx(0.5)


def test_points_have_no_scale():
    assert native_scale(_Pictures((2,)), Preparation("label", (), 1)) is None
