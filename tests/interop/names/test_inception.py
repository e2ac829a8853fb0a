import json
import pathlib

import jax
import numpy as np
import pytest

from symmflow_jax.interop.names.inception import needed, variables_from_state_dict
from symmflow_jax.networks.perceptual.inception import Inception

pytestmark = pytest.mark.slow

REFERENCE = pathlib.Path(__file__).parents[2] / "fixtures" / "inception.npz"


@pytest.fixture(scope="module")
def reference():
    return dict(np.load(REFERENCE))


@pytest.fixture(scope="module")
def state_dict(reference, weights_by_name):
    shapes = json.loads(str(reference["shapes"]))
    return {name: weights_by_name(name, tuple(shape)) for name, shape in shapes.items()}


def test_features_are_those_of_pytorch_fid(reference, state_dict):
    variables = variables_from_state_dict(state_dict)
    features = jax.jit(Inception().apply)(variables, reference["images"])
    assert features.dtype == np.float32
    # The two images differ by far more than the tolerance.
    assert np.abs(reference["features"][0] - reference["features"][1]).max() > 0.1
    np.testing.assert_allclose(features, reference["features"], rtol=1e-4, atol=1e-4)


def test_classifiers_and_counters_are_left_out(state_dict):
    left_out = state_dict.keys() - needed(state_dict).keys()
    assert {"fc.weight", "fc.bias", "Mixed_7c.branch_pool.bn.num_batches_tracked"} <= left_out
    assert all(name.startswith("fc.") or name.endswith("num_batches_tracked") for name in left_out)


def test_a_state_dict_that_does_not_fit_is_refused(state_dict):
    weights = dict(state_dict)
    del weights["Mixed_5b.branch1x1.conv.weight"]
    weights["Mixed_8a.conv.weight"] = np.zeros((1, 1, 1, 1), np.float32)
    weights["Mixed_7c.branch_pool.bn.running_var"] = np.zeros(3, np.float32)
    with pytest.raises(ValueError) as error:
        variables_from_state_dict(weights)
    message = str(error.value)
    assert "missing: Mixed_5b.branch1x1.conv.weight" in message
    assert "surplus: Mixed_8a.conv.weight" in message
    assert "Mixed_7c.branch_pool.bn.running_var is (3,), not (192,)" in message
    assert "pt_inception-2015-12-05-6726825d.pth" in message
