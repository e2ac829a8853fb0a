import jax
import numpy as np

from symmflow_jax.flow.couplings.independent import IndependentCoupling
from symmflow_jax.flow.state import JointState


def test_noise_comes_back_as_it_is():
    keys = jax.random.split(jax.random.key(0), 5)
    image, semantics = (4, 2, 2, 3), (4, 2, 2, 1)
    data = JointState(jax.random.normal(keys[0], image), jax.random.normal(keys[1], semantics))
    noise = JointState(jax.random.normal(keys[2], image), jax.random.normal(keys[3], semantics))
    coupled = jax.jit(IndependentCoupling().couple)(keys[4], data, noise)
    jax.tree.map(np.testing.assert_array_equal, coupled, noise)


def test_coupling_is_a_value():
    assert IndependentCoupling() == IndependentCoupling()
    assert hash(IndependentCoupling()) == hash(IndependentCoupling())
