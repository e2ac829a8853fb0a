"""The start of a training, before anything is written."""

import jax
import pytest

from symmflow_jax.flow import keys
from symmflow_jax.flow.keys import Stream
from symmflow_jax.loop.start import Start

pytestmark = pytest.mark.usefixtures("standard_dtype_promotion")

_POINTS = {
    "data.source": "spirals",
    "data.image_size": (),
    "semantics.encoding": "plane",
    "network.name": "mlp",
}


def test_a_start_tells_the_shapes_of_its_state_and_writes_nothing(tiny_experiment, tmp_path):
    start = Start.check(tiny_experiment(**_POINTS), tmp_path / "run")
    assert (start.step, start.state, start.train_seconds) == (0, None, 0.0)
    state = start.create(keys.of_seed(start.experiment.seed, Stream.INIT))
    told = jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), start.shapes)
    assert told == jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), state)
    assert list(tmp_path.iterdir()) == []


def test_a_batch_that_its_parts_do_not_divide_is_refused(tiny_experiment, tmp_path):
    uneven = tiny_experiment(**_POINTS, **{"train.num_microbatches": 3})
    with pytest.raises(ValueError, match=r"config\.train\.batch_size"):
        Start.check(uneven, tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
