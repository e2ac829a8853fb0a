"""Wrong shapes and dtypes are errors in tests, and cost nothing outside of them."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from symmflow_jax.codecs import images
from symmflow_jax.flow import keys
from symmflow_jax.flow.paths.linear import LinearPath
from symmflow_jax.networks.velocity.mlp import MLP
from symmflow_jax.semantics.one_hot import OneHot

START, TIMES = jnp.zeros((3, 4, 2)), jnp.linspace(0.0, 1.0, 3)


def _interpolate(start=START, end=START, t=TIMES):
    return LinearPath().interpolate(start, end, t)


def test_arrays_of_the_annotated_shapes_pass():
    assert _interpolate().shape == START.shape
    assert _interpolate(t=jnp.float32(0.5)).shape == START.shape
    assert jax.jit(jax.vmap(_interpolate))(START[None], START[None], TIMES[None]).shape == (
        1,
        3,
        4,
        2,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"end": jnp.zeros((3, 4, 1))},
        {"end": jnp.zeros((1, 4, 2))},
        {"t": jnp.zeros(2)},
        {"t": jnp.zeros((3, 1, 1))},
        {"t": jnp.zeros(3, jnp.int32)},
        {"start": START.astype(jnp.int32)},
        {"start": np.zeros((3, 4, 2), np.float32)},
    ],
)
def test_a_path_takes_one_shape_and_times_of_its_batch(wrong):
    with pytest.raises(jaxtyping.TypeCheckError):
        _interpolate(**wrong)


def test_traced_arrays_are_checked_as_well():
    with pytest.raises(jaxtyping.TypeCheckError):
        jax.jit(_interpolate)(START, START, jnp.zeros(2))


@pytest.mark.parametrize(
    "call",
    [
        lambda: keys.normal(jax.random.key(0), (2,)),
        lambda: keys.normal(jnp.zeros(3, jnp.uint32), (2,)),
        lambda: OneHot(3).encode_clean(jnp.zeros(2)),
        lambda: OneHot(3).decode(jnp.zeros((2, 4))),
        lambda: images.to_signal(jnp.zeros((1, 2, 2, 3), jnp.int32)),
        lambda: MLP(8, 1).init(jax.random.key(0), START[:, 0], START[:1, 0], TIMES),
    ],
)
def test_every_room_is_checked(call):
    with pytest.raises(jaxtyping.TypeCheckError):
        call()


def test_outside_of_tests_there_are_no_checks():
    program = (
        "import sys\n"
        "from symmflow_jax.flow.paths.linear import LinearPath\n"
        "assert not hasattr(LinearPath.interpolate, '__wrapped__')\n"
        "assert 'beartype' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert hasattr(LinearPath.interpolate, "__wrapped__")
