import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.codecs import images
from symmflow_jax.codecs.appearance import Appearance
from symmflow_jax.data.batch import Moments, Pixels, Signals
from symmflow_jax.flow import keys

_ALL = Appearance(0.4, 0.4, 0.4, 0.1, 1.0)
_VALUES = jnp.asarray(np.random.default_rng(0).integers(0, 256, (16, 6, 8, 3), np.uint8))
_HELD = np.arange(16) % 2 == 0
_INDEX = np.arange(16)


@functools.partial(jax.jit, static_argnums=0)
def _changed(appearance, index, image, held):
    example_keys = keys.example_keys(jax.random.key(0), index)
    return appearance(example_keys, image, held).values


def _seen(appearance=_ALL, image=_VALUES, held=_HELD, index=_INDEX):
    image = image if isinstance(image, Signals) else Pixels(image)
    return np.asarray(_changed(appearance, index, image, held))


_SEEN = _seen()


def test_images_that_are_learned_keep_every_bit():
    assert _SEEN.dtype == np.uint8
    np.testing.assert_array_equal(_SEEN[1::2], _VALUES[1::2])


def test_images_that_are_held_change_each_in_its_own_way():
    changes = _SEEN[::2].astype(int) - np.asarray(_VALUES)[::2]
    sizes = np.abs(changes).mean(axis=(1, 2, 3))
    assert sizes.min() > 1 and len(np.unique(sizes)) == 8


def test_a_change_does_not_depend_on_the_batch():
    order = np.arange(16)[::-1]
    others = _seen(image=_VALUES[order], held=_HELD[order], index=order)
    np.testing.assert_array_equal(others, _SEEN[order])


def test_signals_change_as_their_pixels_do():
    signals = images.to_signal(_VALUES)
    changed = _seen(image=Signals(signals))
    np.testing.assert_array_equal(changed[1::2], signals[1::2])
    np.testing.assert_allclose(127.5 * (changed + 1.0), _SEEN, atol=0.51)


@pytest.mark.parametrize(
    ("field", "size"),
    [("brightness", 0.5), ("contrast", 0.5), ("saturation", 0.5), ("hue", 0.3), ("blur", 3.0)],
)
def test_every_range_counts_alone(field, size):
    seen = _seen(dataclasses.replace(Appearance(), **{field: size}))
    changed = np.any(seen != _VALUES, axis=(1, 2, 3))
    # A change may be too small for 8 bits.
    assert not changed[~_HELD].any() and changed[_HELD].sum() >= 6


def test_no_range_changes_nothing():
    np.testing.assert_array_equal(_seen(Appearance()), _VALUES)


def test_a_share_of_the_held_images_changes():
    half = Appearance(brightness=0.5, share=0.5)
    values = jnp.full((400, 1, 1, 3), 90, jnp.uint8)
    changed = _seen(half, values, np.ones(400, bool), np.arange(400)) != 90
    assert 0.4 < np.any(changed, axis=(1, 2, 3)).mean() < 0.6


def test_grey_images_change_in_brightness():
    values = _VALUES[..., :1]
    grey = _seen(Appearance(brightness=0.5), values)
    assert grey.shape == (16, 6, 8, 1)
    assert np.any(grey != values, axis=(1, 2, 3)).tolist() == _HELD.tolist()


def test_latents_have_no_colours():
    with pytest.raises(TypeError, match="Moments have no colours that can change"):
        _changed(_ALL, np.arange(16), Moments(jnp.zeros((16, 2, 2, 8))), _HELD)
