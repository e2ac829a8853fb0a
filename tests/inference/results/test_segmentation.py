"""The mask of an image: files, overlays, shares, pictures."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.inference.files.made import Made, made_of
from symmflow_jax.inference.given.images import given_images
from symmflow_jax.inference.results.segmentation import Segmentation, Segmentations
from symmflow_jax.semantics.labels import filed_under

_SCHEMA = filed_under((7, 1, 300), ("sky", "road", "tree"))
_MASK = np.array([[0, 0, 1], [0, 2, -1]], np.int32)


def _result(image=None, mask=_MASK, probabilities=None) -> Segmentation:
    pixels = np.full((2, 3, 3), 100, np.uint8)
    (item,) = given_images(pixels if image is None else image, 3).items
    sure = np.full(mask.shape, 0.75, np.float32)
    return Segmentation(mask, sure, 1 - sure, probabilities, _SCHEMA, item)


def test_numpy_takes_results_for_their_masks():
    result = _result()
    np.testing.assert_array_equal(np.asarray(result), _MASK)
    several = np.asarray(Segmentations([result, result]))
    assert several.shape == (2, 2, 3) and several.dtype == np.int32
    np.asarray(result)[0, 0] = 2
    assert result.mask[0, 0] == 0


def test_shares_and_names_are_told():
    result = _result()
    assert result.shares == {"sky": 0.5, "road": pytest.approx(1 / 6), "tree": pytest.approx(1 / 6)}
    assert result.names == ("sky", "road", "tree") and result.path is None
    text = repr(result)
    assert text.startswith("<Segmentation of The image, 3x2 pixels: sky 50.0%, road 16.7%")
    assert "unsure 16.7%" in text and "confidence 0.750" in text


def test_the_overlay_mixes_colours_by_alpha_and_leaves_what_is_unsure():
    result = _result()
    overlay = np.asarray(result.overlay(0.25))
    colours = np.asarray(_SCHEMA.palette)
    np.testing.assert_allclose(overlay[0, 2], 75 + 0.25 * colours[1], atol=0.5)
    np.testing.assert_array_equal(overlay[1, 2], [100, 100, 100])
    np.testing.assert_array_equal(np.asarray(result.overlay(0.0)), result.image)
    np.testing.assert_array_equal(np.asarray(result.overlay(1.0))[0, 0], colours[0])
    with pytest.raises(ValueError, match=r"alpha is 1\.5; it must lie in \[0, 1\]"):
        result.overlay(1.5)


def test_a_saved_mask_holds_the_ids_of_the_data_set(tmp_path):
    path = _result().save(tmp_path / "new" / "mask.png", unsure_id=9)
    assert made_of(path) is Made.MASK
    np.testing.assert_array_equal(np.asarray(Image.open(path)), [[7, 7, 1], [7, 300, 9]])
    with pytest.raises(ValueError, match="unsure_id is 7, which is an id of 'sky'"):
        _result().save(path, unsure_id=7)


def test_an_archive_holds_all_arrays(tmp_path):
    probabilities = np.full((2, 3, 3), 1 / 3, np.float32)
    _result(probabilities=probabilities).save(tmp_path / "all.npz")
    with np.load(tmp_path / "all.npz") as archive:
        np.testing.assert_array_equal(archive["mask"], _MASK)
        np.testing.assert_array_equal(archive["probabilities"], probabilities)
        assert archive["names"].tolist() == ["sky", "road", "tree"]
        assert (archive["confidence"] == 0.75).all() and (archive["entropy"] == 0.25).all()


def test_the_image_itself_is_never_replaced(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(np.zeros((2, 3, 3), np.uint8)).save(path)
    result = _result(path)
    with pytest.raises(ValueError, match="is an input .* never overwritten. Give another path"):
        result.save(path)
    with pytest.raises(ValueError, match=r"ends in '\.jpg'; give a file that ends in \.png or"):
        result.save(tmp_path / "mask.jpg")
    assert result.path == path and result.image.shape == (2, 3, 3)


def test_several_masks_are_saved_under_the_names_of_their_images(tmp_path):
    for name in ("a.png", "a.bmp"):
        Image.fromarray(np.zeros((2, 3, 3), np.uint8)).save(tmp_path / name)
    results = Segmentations([_result(tmp_path / "a.png"), _result(tmp_path / "a.bmp"), _result()])
    paths = results.save(tmp_path / "masks")
    assert [path.name for path in paths] == ["a_png.png", "a_bmp.png", "000002.png"]
    assert all(made_of(path) is Made.MASK for path in paths)


def test_notebooks_show_the_image_its_overlay_and_the_classes(tmp_path):
    large = np.zeros((30, 2000), np.int32)
    results = Segmentations([_result(), _result(np.zeros((30, 2000, 3), np.uint8), large)])
    for shown in (*results, results):
        assert shown._repr_png_().startswith(b"\x89PNG")
    assert results[1].figure().shape[1] <= 1100  # A photo is shown smaller than it is.
    # The colour of each class that occurs is in the legend.
    pixels = {tuple(colour) for colour in results[0].figure().reshape(-1, 3)}
    assert pixels >= {*_SCHEMA.palette, (128, 128, 128), (100, 100, 100)}
    assert Segmentations([])._repr_png_().startswith(b"\x89PNG")
    assert repr(Segmentations([_result()] * 9)).endswith("... and 3 more]")


def test_grey_images_and_those_of_many_channels_are_shown():
    assert _result(np.full((2, 3), 9, np.uint8)).image.tolist() == [[[9] * 3] * 3] * 2
    (item,) = given_images(np.zeros((2, 3, 5), np.uint8), 5).items
    assert Segmentation(_MASK, _MASK, _MASK, None, _SCHEMA, item).image.shape == (2, 3, 3)
