"""Runs whose weights another training uses: what is refused."""

import jax
import numpy as np
import pytest

from symmflow_jax.loop.start import Start
from symmflow_jax.runs.origins.origin import open_origin, read_params

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]


def test_an_origin_is_the_latest_step_of_a_run(make, trained):
    origin = open_origin("train.init_from", str(trained))
    assert (origin.folder, origin.step) == (trained, 4)
    assert origin.experiment.network == make().network
    params = read_params(origin)
    assert all(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(params))
    shapes = jax.eval_shape(origin.experiment.method.init, jax.random.key(0))
    assert jax.tree.map(np.shape, params) == jax.tree.map(lambda leaf: leaf.shape, shapes)


def test_refusals_name_the_remedy(make, trained, tmp_path):
    nothing = make(**{"train.init_from": str(tmp_path / "none")})
    with pytest.raises(ValueError, match="where there is no run: no complete checkpoint lies in"):
        Start.check(nothing, tmp_path / "a")
    begun = {"train.init_from": str(trained)}
    other = make(**begun, **{"network.channels": 16, "data.point_size": 16})
    kind = "whose network is of another kind: config.network.channels is 16, was 8. Set these keys"
    with pytest.raises(ValueError, match=kind):
        Start.check(other, tmp_path / "b")
    # What the network does not use may differ.
    Start.check(make(**begun, **{"network.head_channels": 4}), tmp_path / "c")
    assert not list(tmp_path.iterdir())
