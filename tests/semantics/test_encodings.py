import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.semantics import palettes
from symmflow_jax.semantics.class_plane import ClassColour, ClassPlane
from symmflow_jax.semantics.palette_mask import PaletteMask
from symmflow_jax.semantics.planes import uniform_noise

PLANE = ClassPlane(num_classes=10, spatial_shape=(4, 6), dequantization_beta=4.0)
COLOUR = ClassColour(palettes.class_colours(10), (4, 6), dequantization_beta=4.0)
MASK = PaletteMask(palettes.CELEBAMASK_HQ, dequantization_beta=10.0)
COCO = PaletteMask(palettes.coco_stuff(172), dequantization_beta=6.0)

label_encodings = pytest.mark.parametrize(
    "encoding",
    [
        PLANE,
        COLOUR,
        ClassPlane(2, (), 4.0),
        ClassPlane(1000, (4, 4), 4.0),
        ClassColour(palettes.class_colours(64), (), 6.0),
        ClassColour(palettes.class_colours(2), (2, 2), 6.0),
    ],
)
mask_encodings = pytest.mark.parametrize(
    "encoding", [MASK, COCO, PaletteMask(palettes.distinct(200), 6.0)]
)


def num_classes(encoding):
    return encoding.num_classes if isinstance(encoding, ClassPlane) else len(encoding.palette)


# Hypothesis calls these often; eagerly, each call of a scan compiles anew.
encode = jax.jit(lambda encoding, key, labels: encoding.encode(key, labels), static_argnums=0)
decode = jax.jit(lambda encoding, signal: encoding.decode(signal), static_argnums=0)


def signal(rgb):
    """A colour in 8-bit levels as a signal."""
    return jnp.asarray(rgb, jnp.float32) / 127.5 - 1.0


@label_encodings
@hypothesis.given(seed=st.integers(0, 2**31 - 1))
def test_labels_survive_encoding(encoding, seed):
    labels = jnp.arange(num_classes(encoding))
    encoded = encode(encoding, jax.random.key(seed), labels)
    assert encoded.shape == (len(labels), *encoding.signal_shape((4, 6, 3)))
    assert encoded.dtype == jnp.float32
    decoded = decode(encoding, encoded)
    assert decoded.dtype == jnp.int32
    np.testing.assert_array_equal(decoded, labels)


@mask_encodings
@hypothesis.given(seed=st.integers(0, 2**31 - 1))
def test_masks_survive_encoding(encoding, seed):
    classes = num_classes(encoding)
    labels = (jnp.arange(2 * 12 * 18) % classes).reshape(2, 12, 18)
    encoded = encode(encoding, jax.random.key(seed), labels)
    assert encoded.shape == (2, *encoding.signal_shape((12, 18, 3)))
    decoded = decode(encoding, encoded)
    assert decoded.dtype == jnp.int32
    np.testing.assert_array_equal(decoded, labels)


@pytest.mark.parametrize("encoding", [PLANE, COLOUR])
def test_clean_labels_decode(encoding):
    labels = jnp.arange(10).reshape(2, 5)
    np.testing.assert_array_equal(encoding.decode(encoding.encode_clean(labels)), labels)


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


def test_distances_of_batches_are_smallest_at_the_label():
    for encoding in (PLANE, COLOUR):
        distances = encoding.distances(encoding.encode_clean(jnp.arange(10).reshape(5, 2)))
        assert distances.shape == (5, 2, 10)
        np.testing.assert_array_equal(jnp.argmin(distances, -1), jnp.arange(10).reshape(5, 2))


def test_mask_colours_span_minus_one_to_one():
    colours = MASK.encode_clean(jnp.asarray([[0, 1], [3, 7]]))
    expected = signal([[[0, 0, 0], [204, 0, 0]], [[204, 204, 0], [255, 204, 204]]])
    np.testing.assert_allclose(colours, expected, atol=1e-6)
    assert np.min(colours) == -1.0 and np.max(colours) == 1.0


@pytest.mark.parametrize(("encoding", "beta"), [(MASK, 10.0), (COCO, 6.0), (COLOUR, 4.0)])
def test_dequantisation_is_beta_levels_wide_with_mean_zero(encoding, beta):
    labels = jnp.zeros((40, 40), jnp.int32)
    noise = encoding.encode(jax.random.key(0), labels) - encoding.encode_clean(labels)
    levels = np.asarray(noise) * 127.5
    assert 0.49 * beta < np.max(levels) <= 0.501 * beta
    assert -0.501 * beta <= np.min(levels) < -0.49 * beta
    # Uniform: deviation beta / sqrt(12), and a mean within five of its own deviations.
    np.testing.assert_allclose(np.std(levels), beta / np.sqrt(12), rtol=0.05)
    assert abs(np.mean(levels)) < 5 * beta / np.sqrt(12 * levels.size)


@pytest.mark.parametrize("encoding", [MASK, COCO])
@hypothesis.given(seed=st.integers(0, 1000))
def test_masks_bear_noise_just_below_half_the_smallest_distance(encoding, seed):
    labels = (jnp.arange(15 * 15) % num_classes(encoding)).reshape(15, 15)
    direction = jax.random.normal(jax.random.key(seed), (15, 15, 3))
    direction = direction / jnp.linalg.norm(direction, axis=-1, keepdims=True)
    radius = 0.499 * palettes.smallest_distance(encoding.palette) / 127.5
    noisy = encoding.encode_clean(labels) + radius * direction
    np.testing.assert_array_equal(decode(encoding, noisy), labels)


def test_the_first_of_equally_near_colours_wins():
    encoding = PaletteMask(((100, 0, 0), (0, 0, 0), (200, 0, 0)), 0.0)
    halfway = signal([[[50, 0, 0], [150, 0, 0]]])
    np.testing.assert_array_equal(encoding.decode(halfway), [[0, 0]])
    np.testing.assert_array_equal(PLANE.decode(jnp.zeros((4, 6, 1))), 4)  # 4.5 goes to the even.


def test_colour_is_read_at_its_mean():
    plane = jnp.broadcast_to(signal([75, 225, 80]), (4, 6, 3))
    uneven = plane.at[:2].add(1.0).at[2:].add(-1.0)
    np.testing.assert_allclose(COLOUR.decode_continuous(uneven), [75, 225, 80], atol=1e-3)
    # The nearest of the ten colours, (75, 150, 150) at 102.6, beats (75, 225, 225) at 145.
    nearest = min(COLOUR.palette, key=lambda c: np.sum((np.array(c) - [75, 225, 80]) ** 2))
    assert COLOUR.palette[int(COLOUR.decode(uneven))] == nearest


@pytest.mark.parametrize("encoding", [MASK, PLANE, COLOUR])
def test_each_key_has_noise_of_its_own(encoding):
    shape = (4, 6) if encoding is MASK else ()
    labels = jnp.zeros((3, *shape), jnp.int32)
    keys = jax.random.split(jax.random.key(0), 3)
    together = jax.vmap(encoding.encode)(jax.random.clone(keys), labels)
    noise = together - jax.vmap(encoding.encode_clean)(labels)
    # Continuous noise: no value comes twice, neither within an example nor between two.
    assert len(np.unique(noise)) > 0.95 * noise.size
    assert np.max(np.abs(noise[0] - noise[1])) > 0.1 * np.max(np.abs(noise))
    for index in range(3):
        alone = encoding.encode(jax.random.clone(keys[index]), labels[index])
        np.testing.assert_allclose(together[index], alone, rtol=0, atol=1e-6)


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


def test_confidence_of_every_pixel():
    encoding = PaletteMask(((0, 0, 0), (100, 0, 0), (0, 200, 0)), 0.0)
    pixels = signal([[[0, 0, 0], [50, 0, 0], [80, 0, 0], [0, 150, 0]]])
    confidence = encoding.confidence(pixels, jnp.asarray([[0, 0, 1, 2]]))
    assert confidence.shape == (1, 4)
    np.testing.assert_allclose(confidence, [[1.0, 0.5, 0.8, 0.75]], atol=1e-6)


def test_two_labels_in_one_place_are_a_guess():
    encoding = ClassColour(((10, 10, 10), (10, 10, 10)), (), 0.0)
    point = encoding.encode_clean(jnp.asarray([0]))
    np.testing.assert_array_equal(encoding.confidence(point, jnp.asarray([0])), [0.5])


@pytest.mark.parametrize("encoding", [MASK, PLANE, COLOUR])
def test_codes_are_sure_of_their_labels(encoding):
    labels = jnp.arange(10).reshape(2, 5)
    confidence = encoding.confidence(encoding.encode_clean(labels), labels)
    np.testing.assert_allclose(confidence, np.ones((2, 5)), atol=1e-5)


def test_uniform_noise_is_centred():
    noise = uniform_noise(jax.random.key(0), (10_000,), 3.0)
    assert -1.5 <= np.min(noise) < -1.49 and 1.49 < np.max(noise) <= 1.5


def test_encodings_are_values():
    assert hash(PLANE) == hash(ClassPlane(10, (4, 6), 4.0))
    assert PaletteMask(palettes.CELEBAMASK_HQ, 10.0) == MASK
