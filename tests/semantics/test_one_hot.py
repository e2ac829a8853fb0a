"""One plane for each class, whose mean codes are probabilities."""

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.semantics.encoding import ClassEncoding
from symmflow_jax.semantics.labels import consecutive
from symmflow_jax.semantics.one_hot import OneHot

MASK = OneHot(4)
PLANE = OneHot(4, (2, 3))


@pytest.mark.parametrize(
    ("encoding", "shape"), [(MASK, (2, 2, 3)), (PLANE, (5,)), (OneHot(2), (7,)), (OneHot(40), (3,))]
)
def test_labels_survive_encoding(encoding, shape):
    labels = jnp.arange(np.prod(shape)).reshape(shape) % encoding.num_classes
    encoded = encoding.encode(jax.random.key(0), labels)
    assert encoded.shape == (*shape, *encoding.spatial_shape, encoding.num_classes)
    decoded = encoding.decode(encoded)
    assert decoded.dtype == jnp.int32
    np.testing.assert_array_equal(decoded, labels)


def test_a_class_is_one_where_it_is_and_minus_one_elsewhere():
    codes = MASK.encode_clean(jnp.asarray([[2, 0]]))
    np.testing.assert_array_equal(codes, [[[-1, -1, 1, -1], [1, -1, -1, -1]]])
    assert codes.dtype == jnp.float32
    plane = PLANE.encode_clean(jnp.asarray([1]))
    assert plane.shape == (1, 2, 3, 4)
    np.testing.assert_array_equal(plane, np.broadcast_to([-1.0, 1, -1, -1], (1, 2, 3, 4)))


def test_codes_have_no_noise():
    labels = jnp.asarray([3, 1])
    first, second = (PLANE.encode(jax.random.key(seed), labels) for seed in (0, 1))
    np.testing.assert_array_equal(first, second)


def test_signals_stand_beside_images_and_points():
    assert MASK.signal_shape((8, 6, 3)) == (8, 6, 4)
    assert OneHot(4, (8, 6)).signal_shape((8, 6, 1)) == (8, 6, 4)
    assert OneHot(2).signal_shape((2,)) == (2,)


@hypothesis.given(weights=st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4))
def test_a_mean_code_gives_its_probabilities_back(weights):
    probabilities = jnp.asarray([weights], jnp.float32) / sum(weights)
    for encoding in (MASK, PLANE):
        mean = encoding.mean_code(probabilities)
        np.testing.assert_allclose(encoding.probabilities(mean), probabilities, atol=1e-5)


def test_a_split_posterior_is_never_a_third_class():
    # Of ordered codes the mean of the first and the last lies on those between.
    mean = 0.55 * PLANE.encode_clean(jnp.asarray([0])) + 0.45 * PLANE.encode_clean(jnp.asarray([3]))
    np.testing.assert_array_equal(PLANE.decode(mean), [0])
    np.testing.assert_allclose(PLANE.probabilities(mean), [[0.55, 0, 0, 0.45]], atol=1e-5)
    np.testing.assert_allclose(PLANE.confidence(mean, jnp.asarray([0])), [0.55], atol=1e-5)
    np.testing.assert_allclose(PLANE.confidence(mean, jnp.asarray([3])), [0.45], atol=1e-5)


def test_codes_are_sure_of_their_labels():
    labels = jnp.asarray([[0, 3], [1, 2]])
    confidence = MASK.confidence(MASK.encode_clean(labels), labels)
    assert confidence.shape == (2, 2)
    np.testing.assert_allclose(confidence, np.ones((2, 2)), atol=1e-4)


def test_signals_beyond_the_codes_have_probabilities_too():
    signal = jnp.asarray([[-3.0, -5.0, 3.0, -1.0], [-2.0, -2.0, -2.0, -2.0]])
    probabilities = MASK.probabilities(signal)
    assert (np.asarray(probabilities) >= 0).all()
    np.testing.assert_allclose(probabilities, [[0, 0, 1, 0], [0.25] * 4], atol=1e-5)


def test_a_plane_is_read_at_its_mean():
    plane = PLANE.encode_clean(jnp.asarray([2]))
    uneven = plane.at[:, :1].add(4.0).at[:, 1:].add(-4.0)
    np.testing.assert_allclose(PLANE.probabilities(uneven), PLANE.probabilities(plane), atol=1e-5)
    np.testing.assert_array_equal(PLANE.decode(uneven), [2])


def test_there_is_no_read_out():
    assert not isinstance(MASK, ClassEncoding)


def test_an_unknown_pixel_is_none_of_the_classes():
    schema = consecutive(("a", "b", "c"), ignored_id=9).without_ignored()
    encoding = OneHot.of_classes(schema, (), 0.0)
    assert encoding.has_unknown and not OneHot.of_classes(consecutive(("a",)), (), 0).has_unknown
    codes = encoding.encode(jax.random.key(0), jnp.asarray([[-1, 1]]))
    np.testing.assert_array_equal(codes, [[[-1, -1, -1], [-1, 1, -1]]])
    assert 0 <= int(encoding.decode(codes)[0, 0]) < 3
