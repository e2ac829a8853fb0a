"""Edits of what users have: files, folders, Pillow images, and arrays of any size."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.source import DataError
from symmflow_jax.inference.editing import Keep

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]

_SIZE = (12, 16)


def _pixels(seed=0, size=_SIZE):
    return np.random.default_rng(seed).integers(256, size=(*size, 3), dtype=np.uint8)


def _mask(lower, size=_SIZE):
    mask = np.zeros(size, np.uint8)
    mask[size[0] // 2 :] = lower
    return mask


_NEW, _OLD = _mask(2), _mask(0)


def _save(path, array):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def test_one_photo_gives_one_image_of_its_own_size(two_clocks):
    edited = two_clocks.edit(_pixels(), _NEW, num_steps=2, source=_OLD)
    assert isinstance(edited, Image.Image) and edited.size == (16, 12)
    edited = np.asarray(edited)
    np.testing.assert_array_equal(edited[:6], _pixels()[:6])
    assert (edited[6:] != _pixels()[6:]).mean() > 0.5


def test_a_file_a_picture_and_an_array_are_edited_alike(two_clocks, tmp_path):
    photo, new = _save(tmp_path / "cat.png", _pixels()), _save(tmp_path / "new.png", _NEW)
    old = _save(tmp_path / "old.png", _OLD)
    forms = (
        (photo, new, old),
        (Image.open(photo), Image.open(new), Image.open(old)),
        (_pixels(), _NEW, _OLD),
    )
    first, *others = (
        np.asarray(two_clocks.edit(one, mask, num_steps=2, source=source))
        for one, mask, source in forms
    )
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_folders_go_together_by_names_and_not_by_order(two_clocks, tmp_path):
    for name, lower in (("a", 1), ("b", 2)):
        _save(tmp_path / "photos" / f"{name}.bmp", _pixels(lower))
        _save(tmp_path / "new" / f"{name}.png", _mask(lower))
    _save(tmp_path / "new" / "0.png", _mask(3))
    together = two_clocks.edit(tmp_path / "photos", tmp_path / "new", 7, 2, source=_OLD)
    assert len(together) == 2
    alone = two_clocks.edit([_pixels(1), _pixels(2)], [_mask(1), _mask(2)], 7, 2, source=_OLD)
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    (tmp_path / "new" / "b.png").unlink()
    with pytest.raises(DataError, match=r"conditions=.*1 have none or several \(b\.bmp\)"):
        two_clocks.edit(tmp_path / "photos", tmp_path / "new", 7, 2)


def test_regions_are_files_pictures_and_arrays(two_clocks, tmp_path):
    region = np.zeros(_SIZE, np.uint8)
    region[:, :5] = 255
    file = _save(tmp_path / "region.png", region)
    for keep in (file, Image.fromarray(region), region > 0):
        edited = np.asarray(two_clocks.edit(_pixels(), _NEW, num_steps=2, keep=keep))
        np.testing.assert_array_equal(edited[:, :5], _pixels()[:, :5])
        assert (edited[:, 5:] != _pixels()[:, 5:]).mean() > 0.5
    with pytest.raises(ValueError, match=r"The region is uint8 of shape \(12, 16\); give bool"):
        two_clocks.edit(_pixels(), _NEW, keep=region)


def test_rules_have_names(two_clocks):
    def edited(**rules):
        return np.asarray(two_clocks.edit(_pixels(), _NEW, num_steps=2, **rules))

    without = edited(source="none")
    np.testing.assert_array_equal(edited(source="none", keep="none"), without)
    np.testing.assert_array_equal(edited(keep="none"), edited(source="read", keep=Keep.NONE))
    assert (edited(keep="none") != without).any()


def test_a_mask_of_another_size_or_number_is_an_error(two_clocks):
    with pytest.raises(ValueError, match="The image is 16x12 but its mask is 16x8"):
        two_clocks.edit(_pixels(), _NEW[:8])
    with pytest.raises(ValueError, match="There are 2 images but 3 conditions; give one for all"):
        two_clocks.edit([_pixels(), _pixels(1)], [_NEW] * 3)


def test_one_label_is_for_all_photos(two_clocks_of_labels):
    name = two_clocks_of_labels.names[1]
    photos = [_pixels(), _pixels(1)]
    edited = two_clocks_of_labels.edit(photos, name, num_steps=2, source=0)
    assert [image.size for image in edited] == [(16, 12)] * 2
    same = two_clocks_of_labels.edit(photos, [1, 1], num_steps=2, source=[0, 0])
    np.testing.assert_array_equal(np.asarray(edited), np.asarray(same))
    with pytest.raises(ValueError, match="A view is of masks"):
        two_clocks_of_labels.edit(_pixels(), name, fit="tiles")


def test_points_keep_what_is_known(random_model):
    model = random_model(
        **{
            "data.source": "spirals",
            "data.image_size": (),
            "semantics.encoding": "onehot",
            "network.name": "mlp",
            "train.clock": "mixed",
        }
    )
    points = np.asarray([[0.5, -0.25], [0.1, 0.7]], np.float32)
    edited = model.edit(points, 1, num_steps=2, source=[0, 1], keep=np.asarray([True, False]))
    np.testing.assert_array_equal(edited[:, 0], points[:, 0])
    np.testing.assert_array_equal(edited[1], points[1])  # Its label stays.
    assert edited[0, 1] != points[0, 1]
    alone = model.edit(points[0], 1, num_steps=2, source=0, keep=np.asarray([True, False]))
    np.testing.assert_allclose(alone, edited[0], atol=1e-5)
    with pytest.raises(ValueError, match="There are 2 points but 3 conditions"):
        model.edit(points, [0, 1, 1])
    with pytest.raises(ValueError, match="A view is of masks"):
        model.edit(points, 1, fit="tiles")


def test_edits_of_images_of_16_bits_are_refused(two_clocks, tiny_experiment):
    deep = {
        "data.source": "paired_folder",
        "data.class_names": two_clocks.names,
        "data.image_depth": 16,
        "semantics.encoding": "onehot",
        "train.clock": "mixed",
    }
    experiment = tiny_experiment(**deep).with_schema(two_clocks.schema)
    model = dataclasses.replace(two_clocks, experiment=experiment)
    with pytest.raises(ValueError, match="edits of photos are 8-bit; edit arrays"):
        model.edit(_pixels(), _NEW)
