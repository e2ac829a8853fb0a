"""Labels as planes of one value or colour, against values worked by hand."""

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.semantics import palettes
from symmflow_jax.semantics.class_plane import ClassColour, ClassPlane

pytestmark = pytest.mark.slow

PLANE = ClassPlane(num_classes=10, spatial_shape=(4, 6), dequantization_beta=4.0)
COLOUR = ClassColour(palettes.label_colours(10), (4, 6), dequantization_beta=4.0)

# Hypothesis calls it often.
decode = jax.jit(lambda encoding, signal: encoding.decode(signal), static_argnums=0)


def signal(rgb):
    """A colour in 8-bit levels as a signal."""
    return jnp.asarray(rgb, jnp.float32) / 127.5 - 1.0


def test_plane_values_of_ten_classes():
    # -2 to 2 in steps of 4/9.
    planes = PLANE.encode_clean(jnp.arange(10))
    assert planes.shape == (10, 4, 6, 1)
    values = [-2.0, -1.5556, -1.1111, -0.6667, -0.2222, 0.2222, 0.6667, 1.1111, 1.5556, 2.0]
    np.testing.assert_allclose(planes[:, 0, 0, 0], values, atol=1e-4)
    np.testing.assert_array_equal(planes, jnp.broadcast_to(planes[:, :1, :1], planes.shape))


def test_plane_noise_is_half_a_spacing_wide():
    noise = PLANE.encode(jax.random.key(0), jnp.arange(10)) - PLANE.encode_clean(jnp.arange(10))
    assert 0.10 < np.max(noise) <= 1 / 9 + 1e-6  # Width 2/9: at most 1/9 to either side.
    assert -1 / 9 - 1e-6 <= np.min(noise) < -0.10


def test_plane_is_read_at_its_mean():
    plane = jnp.full((4, 6, 1), 2.0 * (2 * 3.4 / 9 - 1))  # As label 3.4.
    np.testing.assert_allclose(PLANE.decode_continuous(plane), 3.4, atol=1e-5)
    assert PLANE.decode(plane) == 3
    uneven = plane.at[:2].add(5.0).at[2:].add(-5.0)  # The mean stays.
    np.testing.assert_allclose(PLANE.decode_continuous(uneven), 3.4, atol=1e-5)
    np.testing.assert_allclose(PLANE.distances(plane)[..., 2:5], [1.4, 0.4, 0.6], atol=1e-5)


def test_planes_outside_the_range_are_clipped():
    planes = jnp.stack([jnp.full((4, 6, 1), -7.0), jnp.full((4, 6, 1), 7.0)])
    np.testing.assert_array_equal(PLANE.decode(planes), [0, 9])


@hypothesis.given(label=st.integers(0, 9), shift=st.floats(-0.499, 0.499))
def test_plane_bears_less_than_half_a_spacing(label, shift):
    plane = PLANE.encode_clean(jnp.asarray(label)) + jnp.float32(shift * 4 / 9)
    assert decode(PLANE, plane) == label


def test_a_read_out_between_two_labels_goes_to_the_even_one():
    np.testing.assert_array_equal(PLANE.decode(jnp.zeros((4, 6, 1))), 4)  # Of 4.5.


def test_distances_of_batches_are_smallest_at_the_label():
    for encoding in (PLANE, COLOUR):
        distances = encoding.distances(encoding.encode_clean(jnp.arange(10).reshape(5, 2)))
        assert distances.shape == (5, 2, 10)
        np.testing.assert_array_equal(jnp.argmin(distances, -1), jnp.arange(10).reshape(5, 2))


def test_a_colour_is_read_by_the_least_mean_distance_of_pixels():
    """As the published code does: a few wrong pixels move the mean, but not the answer."""
    encoding = ClassColour(((0, 0, 0), (0, 0, 150), (225, 225, 225)), (2, 2), 4.0)
    plane = jnp.asarray([[[0, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 150]]], jnp.float32)
    plane = plane.at[0, 1].set(jnp.asarray([225.0, 225.0, 225.0])) / 127.5 - 1.0
    far, farther = 225 * 3**0.5, (2 * 225**2 + 75**2) ** 0.5
    expected = [(far + 150) / 4, (2 * 150 + farther) / 4, (2 * far + farther) / 4]
    np.testing.assert_allclose(encoding.distances(plane), expected, rtol=1e-5)
    assert encoding.decode(plane) == 0
    # The mean (56, 56, 94) is nearer to the second colour (97) than to the first one (123).
    assert encoding.confidence(plane, jnp.asarray(0)) < 0.5


def test_the_continuous_read_out_of_a_colour_is_its_mean():
    plane = jnp.broadcast_to(signal([75, 225, 80]), (4, 6, 3))
    uneven = plane.at[:2].add(1.0).at[2:].add(-1.0)
    np.testing.assert_allclose(COLOUR.decode_continuous(uneven), [75, 225, 80], atol=1e-3)
    # The nearest of the ten colours, (75, 150, 150) at 102.6, beats (75, 225, 225) at 145.
    nearest = min(COLOUR.palette, key=lambda c: np.sum((np.array(c) - [75, 225, 80]) ** 2))
    assert COLOUR.palette[int(COLOUR.decode(uneven))] == nearest


def test_confidence_is_the_share_of_the_nearer_of_two_neighbours():
    # Codes -2, 0 and 2: a quarter of the way from 0 to 2, on a code, halfway, and beyond.
    encoding = ClassPlane(3, (), dequantization_beta=4.0)
    planes = jnp.asarray([[0.5], [-2.0], [1.0], [3.0]])
    confidence = encoding.confidence(planes, jnp.asarray([1, 0, 1, 2]))
    np.testing.assert_allclose(confidence, [0.75, 1.0, 0.5, 0.75], rtol=1e-6)


def test_a_label_farther_than_another_is_less_than_half_sure():
    # The vote of several draws may be another label than that of this one.
    encoding = ClassPlane(3, (), dequantization_beta=4.0)
    confidence = encoding.confidence(jnp.asarray([[0.5], [-2.0]]), jnp.asarray([2, 2]))
    np.testing.assert_allclose(confidence, [0.25, 0.0], atol=1e-6)


def test_confidence_of_a_colour():
    encoding = ClassColour(((0, 0, 0), (0, 0, 100), (0, 200, 0)), (2, 2), 4.0)
    plane = jnp.broadcast_to(signal([0, 0, 80]), (1, 2, 2, 3))
    uneven = plane.at[:, :1].add(0.5).at[:, 1:].add(-0.5)  # The mean stays.
    np.testing.assert_allclose(encoding.confidence(uneven, jnp.asarray([1])), [0.8], rtol=1e-4)
