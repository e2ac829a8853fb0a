"""What holds for every source of drawn points."""

import pickle

import numpy as np
import pytest

from symmflow_jax.data.sources.synthetic.gaussian_mixture import GaussianMixture
from symmflow_jax.data.sources.synthetic.spirals import Spirals
from symmflow_jax.data.sources.synthetic.split_posterior import SplitPosterior

_SOURCES = [(Spirals, 2, 2), (GaussianMixture, 16, 8), (SplitPosterior, 2, 10)]


def _points(source):
    return np.stack([source[index]["image"] for index in range(len(source))])


@pytest.mark.parametrize(("make", "point_size", "num_classes"), _SOURCES)
def test_elements_are_of_the_announced_form(make, point_size, num_classes):
    drawn = make(10, "train", seed=0)
    assert len(drawn) == 10
    assert drawn.schemas.keys() == {"label"}
    assert drawn.schemas["label"].num_classes == num_classes
    assert drawn[3]["image"].shape == (point_size,) and drawn[3]["image"].dtype == np.float32
    assert drawn[3]["label"].shape == () and drawn[3]["label"].dtype == np.int32


@pytest.mark.parametrize("make", [source[0] for source in _SOURCES])
def test_points_depend_on_seed_and_split(make):
    points = _points(make(50, "train", seed=1))
    again = _points(pickle.loads(pickle.dumps(make(50, "train", seed=1))))
    np.testing.assert_array_equal(points, again)
    for other in (make(50, "train", seed=2), make(50, "test", seed=1)):
        assert not {tuple(p) for p in points} & {tuple(p) for p in _points(other)}


@pytest.mark.parametrize("make", [source[0] for source in _SOURCES])
def test_bad_arguments_are_refused(make):
    with pytest.raises(ValueError, match="no split 'val'"):
        make(10, "val", seed=0)
    with pytest.raises(ValueError, match="at least one example"):
        make(0, "test", seed=0)
