"""What every encoding of labels keeps to, whatever its codes look like."""

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.semantics import palettes
from symmflow_jax.semantics.class_plane import ClassColour, ClassPlane
from symmflow_jax.semantics.encoding import (
    ClassEncoding,
    ProbabilityEncoding,
    inverse_distance_shares,
    nearness,
)
from symmflow_jax.semantics.labels import consecutive
from symmflow_jax.semantics.one_hot import OneHot
from symmflow_jax.semantics.palette_mask import PaletteMask

pytestmark = pytest.mark.slow

PLANE = ClassPlane(num_classes=10, spatial_shape=(4, 6), dequantization_beta=4.0)
COLOUR = ClassColour(palettes.label_colours(10), (4, 6), dequantization_beta=4.0)
MASK = PaletteMask(palettes.CELEBAMASK_HQ, dequantization_beta=10.0)
COCO = PaletteMask(palettes.coco_stuff(range(171)), dequantization_beta=6.0)

label_encodings = pytest.mark.parametrize(
    "encoding",
    [
        PLANE,
        COLOUR,
        ClassPlane(2, (), 4.0),
        ClassPlane(1000, (4, 4), 4.0),
        ClassColour(palettes.label_colours(64), (), 6.0),
        ClassColour(palettes.label_colours(2), (2, 2), 6.0),
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


@pytest.mark.parametrize("encoding", [MASK, PLANE, COLOUR])
def test_codes_are_sure_of_their_labels(encoding):
    labels = jnp.arange(10).reshape(2, 5)
    confidence = encoding.confidence(encoding.encode_clean(labels), labels)
    np.testing.assert_allclose(confidence, np.ones((2, 5)), atol=1e-5)


def test_encodings_are_values():
    assert hash(PLANE) == hash(ClassPlane(10, (4, 6), 4.0))
    assert PaletteMask(palettes.CELEBAMASK_HQ, 10.0) == MASK


def test_encodings_tell_what_they_can_do():
    """Only one-hot codes average to probabilities, only codes of one label are read as a number."""
    one_hot = OneHot(10, (4, 6))
    assert [isinstance(e, ProbabilityEncoding) for e in (one_hot, PLANE, COLOUR, MASK)] == [
        True,
        False,
        False,
        False,
    ]
    assert [isinstance(e, ClassEncoding) for e in (one_hot, PLANE, COLOUR, MASK)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("encoding", "channels"), [(ClassPlane, 1), (ClassColour, 3), (PaletteMask, 3), (OneHot, 5)]
)
def test_encodings_are_made_of_classes(encoding, channels):
    made = encoding.of_classes(consecutive(tuple("abcde")), (4, 6), 4.0)
    assert made.signal_shape((4, 6, 3)) == (4, 6, channels)
    labels = jnp.arange(5) if encoding is not PaletteMask else jnp.arange(5)[None]
    np.testing.assert_array_equal(made.decode(made.encode_clean(labels)), labels)


def test_nearness_is_the_share_of_the_other_distance():
    own = jnp.asarray([0.0, 1.0, 1.0, 3.0, 5.0, 0.0])
    other = jnp.asarray([2.0, 1.0, 3.0, 1.0, 0.0, 0.0])
    # On two codes at once there is nothing to choose by.
    np.testing.assert_allclose(nearness(own, other), [1.0, 0.5, 0.75, 0.25, 0.0, 0.5])


def test_inverse_distances_share_the_probability():
    distances = jnp.asarray([[1.0, 3.0], [0.0, 5.0], [2.0, 2.0]])
    shares = inverse_distance_shares(distances)
    np.testing.assert_allclose(shares, [[0.75, 0.25], [1.0, 0.0], [0.5, 0.5]], atol=1e-6)
    # Of two classes each share is the nearness of its code.
    np.testing.assert_allclose(shares[:, 0], nearness(*distances.T), atol=1e-6)
    three = inverse_distance_shares(jnp.asarray([1.0, 2.0, 4.0]))
    np.testing.assert_allclose(three, [4 / 7, 2 / 7, 1 / 7], rtol=1e-6)


def test_nearness_has_a_gradient_on_two_codes_at_once():
    gradients = jax.grad(lambda own, other: nearness(own, other), argnums=(0, 1))(0.0, 0.0)
    assert np.isfinite(gradients).all()
