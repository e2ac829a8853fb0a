"""Masks as pictures in the colours of a palette."""

import pathlib

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.semantics import palettes
from symmflow_jax.semantics.palette_mask import PaletteMask

MASK = PaletteMask(palettes.CELEBAMASK_HQ, dequantization_beta=10.0)
COCO = PaletteMask(palettes.coco_stuff(range(171)), dequantization_beta=6.0)

# Hypothesis calls it often; eagerly, each call of a scan compiles anew.
decode = jax.jit(lambda encoding, signal: encoding.decode(signal), static_argnums=0)


def signal(rgb):
    """A colour in 8-bit levels as a signal."""
    return jnp.asarray(rgb, jnp.float32) / 127.5 - 1.0


def test_mask_colours_span_minus_one_to_one():
    colours = MASK.encode_clean(jnp.asarray([[0, 1], [3, 7]]))
    expected = signal([[[0, 0, 0], [204, 0, 0]], [[204, 204, 0], [255, 204, 204]]])
    np.testing.assert_allclose(colours, expected, atol=1e-6)
    assert np.min(colours) == -1.0 and np.max(colours) == 1.0


@pytest.mark.parametrize("encoding", [MASK, COCO])
@hypothesis.given(seed=st.integers(0, 1000))
def test_masks_bear_noise_just_below_half_the_smallest_distance(encoding, seed):
    labels = (jnp.arange(15 * 15) % len(encoding.palette)).reshape(15, 15)
    direction = jax.random.normal(jax.random.key(seed), (15, 15, 3))
    direction = direction / jnp.linalg.norm(direction, axis=-1, keepdims=True)
    radius = 0.499 * palettes.smallest_distance(encoding.palette) / 127.5
    noisy = encoding.encode_clean(labels) + radius * direction
    np.testing.assert_array_equal(decode(encoding, noisy), labels)


def test_the_first_of_equally_near_colours_wins():
    encoding = PaletteMask(((100, 0, 0), (0, 0, 0), (200, 0, 0)), 0.0)
    halfway = signal([[[50, 0, 0], [150, 0, 0]]])
    np.testing.assert_array_equal(encoding.decode(halfway), [[0, 0]])


def test_clipped_masks_are_read_as_by_the_published_scorer():
    # Colours far beyond those of the palette too (see make_published_reading.py).
    path = pathlib.Path(__file__).parents[1] / "fixtures" / "published_reading.npz"
    reference = np.load(path)
    predicted = jnp.asarray(reference["signal"])
    clipped = decode(MASK, jnp.clip(predicted, -1.0, 1.0))
    np.testing.assert_array_equal(clipped, reference["classes"])
    differ = np.mean(np.asarray(decode(MASK, predicted)) != reference["classes"])
    assert 0.05 < differ < 0.15, "clipping matters"


def test_confidence_of_every_pixel():
    encoding = PaletteMask(((0, 0, 0), (100, 0, 0), (0, 200, 0)), 0.0)
    pixels = signal([[[0, 0, 0], [50, 0, 0], [80, 0, 0], [0, 150, 0]]])
    confidence = encoding.confidence(pixels, jnp.asarray([[0, 0, 1, 2]]))
    assert confidence.shape == (1, 4)
    np.testing.assert_allclose(confidence, [[1.0, 0.5, 0.8, 0.75]], atol=1e-6)


def test_an_unknown_pixel_is_noise_and_no_colour():
    palette = palettes.distinct(4)
    labels = jnp.where(jnp.arange(64).reshape(8, 8) % 2 == 0, 3, -1)
    known = np.asarray(labels >= 0)
    encoding = PaletteMask(palette, 6.0, has_unknown=True)
    first, second = (np.asarray(encoding.encode(jax.random.key(seed), labels)) for seed in range(2))
    colour = np.asarray(palette[3]) / 127.5 - 1
    np.testing.assert_allclose(first[known], np.broadcast_to(colour, (32, 3)), atol=3 / 127.5)
    assert np.abs(first - second)[~known].mean() > 0.5
    assert abs(first[~known].mean()) < 0.5 and 0.7 < first[~known].std() < 1.3
    decoded = np.asarray(encoding.decode(jnp.asarray(first)))
    assert (decoded[known] == 3).all() and (decoded >= 0).all()
