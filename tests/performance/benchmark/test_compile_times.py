"""What programs cost before they run."""

import jax
import jax.numpy as jnp
import pytest

from symmflow_jax.performance import workloads
from symmflow_jax.performance.benchmark import compile_times

pytestmark = pytest.mark.slow

POINTS = {
    "data.source": "spirals",
    "data.image_size": (),
    "semantics.encoding": "plane",
    "network.name": "mlp",
    "network.channels": 64,
    "network.num_res_blocks": 2,
}


def test_a_program_has_the_bytes_of_its_arguments():
    function = jax.jit(lambda a, b: (a + 1.0, jnp.sum(b)), donate_argnums=0)
    program = compile_times._program(function, (jnp.ones((64, 4)), jnp.ones(16)))
    assert program.num_argument_bytes == 4 * (64 * 4 + 16)
    assert program.num_donated_bytes == 4 * 64 * 4
    assert program.lower_seconds > 0 and program.compile_seconds > 0
    assert program.seconds == pytest.approx(program.lower_seconds + program.compile_seconds)


def test_each_start_is_a_process_of_its_own_with_the_same_programs(tiny_experiment):
    cold, warm = compile_times.measure(tiny_experiment(**POINTS), 8)
    assert list(cold) == list(warm) == ["first state", workloads.TRAIN_STEP]
    for name in cold:
        assert cold[name].num_argument_bytes == warm[name].num_argument_bytes > 0
    # The first state is made of a key; a step takes that state and gives it back in its place.
    assert cold["first state"].num_argument_bytes < 100
    step = cold[workloads.TRAIN_STEP]
    assert 0 < step.num_donated_bytes <= step.num_argument_bytes
