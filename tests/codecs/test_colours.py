import colorsys
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.codecs import colours

_PATH = pathlib.Path(__file__).parents[1] / "fixtures" / "colours.npz"
with np.load(_PATH) as _file:
    _ARRAYS = dict(_file)
_CHANGES = {
    "brightness": colours.brightened,
    "contrast": colours.contrasted,
    "saturation": colours.saturated,
    "hue": colours.hue_turned,
}
_CASES = [name for name in _ARRAYS if name.split("/")[0].split(" ")[0] in _CHANGES]


@pytest.mark.parametrize("case", _CASES)
def test_changes_are_those_of_torchvision(case):
    name, size = case.split("/")
    image = _ARRAYS["image"][..., :1] if name.endswith("of grey") else _ARRAYS["image"]
    change = _CHANGES[name.split(" ")[0]]
    changed = jax.jit(change)(jnp.asarray(image), jnp.float32(float(size)))
    np.testing.assert_allclose(changed, _ARRAYS[case], atol=2e-6)


def test_hues_turn_as_in_the_standard_library():
    image = np.random.default_rng(0).random((4, 5, 3)).astype(np.float32)
    changed = colours.hue_turned(jnp.asarray(image), jnp.float32(0.3))
    for before, after in zip(image.reshape(-1, 3), changed.reshape(-1, 3), strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*before.tolist())
        expected = colorsys.hsv_to_rgb((hue + 0.3) % 1.0, saturation, value)
        np.testing.assert_allclose(after, expected, atol=1e-5)


def test_five_channels_change_in_brightness_and_contrast():
    image = jnp.asarray(np.random.default_rng(1).random((3, 4, 5)), jnp.float32)
    half = jnp.float32(0.5)
    np.testing.assert_allclose(colours.brightened(image, half), 0.5 * image)
    flat = colours.contrasted(image, jnp.float32(0.0))
    np.testing.assert_allclose(flat, np.full((3, 4, 5), np.mean(image)), rtol=1e-6)
