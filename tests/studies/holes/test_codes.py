"""Codes of unknown pixels."""

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.studies.holes.codes import NoiseCode, PlaneCode, with_code

_LABELS = jnp.asarray([[0, -1, 2]])


def test_known_pixels_have_the_codes_of_their_classes():
    for code in (NoiseCode(3, has_unknown=True), PlaneCode(3, has_unknown=True)):
        codes = code.encode(jax.random.key(0), _LABELS)
        np.testing.assert_array_equal(codes[0, 0, :3], [1, -1, -1])
        np.testing.assert_array_equal(code.decode(codes)[0, [0, 2]], [0, 2])
        assert (np.asarray(code.decode(codes)) < 3).all()
        assert code.probabilities(codes).shape == (1, 3, 3)


def test_unknown_pixels_are_noise_or_a_plane():
    first, second = (NoiseCode(3).encode(jax.random.key(seed), _LABELS)[0, 1] for seed in range(2))
    assert np.all(first != second)
    plane = PlaneCode(3)
    codes = plane.encode(jax.random.key(0), _LABELS)
    np.testing.assert_array_equal(codes[0, :, 3], [-1, 1, -1])
    np.testing.assert_array_equal(codes[0, 1, :3], [-1, -1, -1])
    assert plane.signal_shape((4, 4, 3)) == (4, 4, 4)
    mean = plane.mean_code(jnp.asarray([0.5, 0.25, 0.25]))
    np.testing.assert_allclose(mean, [0.0, -0.5, -0.5, -1.0])


def test_a_method_takes_another_code(tiny_experiment):
    method = tiny_experiment(**{"semantics.encoding": "onehot", "data.hidden_share": 0.5}).method
    changed = with_code(method, PlaneCode)
    assert changed.codec.shapes.semantics == (8, 8, 6)
    logits = changed.parameterizations.semantics._logits(jnp.zeros((2, 8, 8, 6)))
    assert logits.shape == (2, 8, 8, 5)
