"""Generated images in Python."""

import numpy as np

from symmflow_jax.inference.files.made import Made, made_of
from symmflow_jax.inference.results.generated import Images

_COLOUR = np.random.default_rng(0).integers(256, size=(10, 4, 6, 3), dtype=np.uint8)


def test_images_become_arrays_again():
    np.testing.assert_array_equal(np.asarray(Images.of(_COLOUR)), _COLOUR)
    np.testing.assert_array_equal(np.asarray(Images.of(_COLOUR[..., :1])), _COLOUR[..., 0])


def test_they_are_shown_and_saved(tmp_path):
    images = Images.of(_COLOUR)
    assert repr(images) == "<10 generated images of 6x4 pixels>"
    for shown in (images, Images.of(_COLOUR[..., :1]), Images()):
        assert shown._repr_png_().startswith(b"\x89PNG")
    paths = images.save(tmp_path / "made")
    assert [path.name for path in paths] == [f"{n:06d}.png" for n in range(10)]
    assert made_of(paths[3]) is Made.IMAGE
