"""The files that go with photos."""

import logging

import pytest
from PIL import Image

from symmflow_jax.data.source import DataError
from symmflow_jax.inference.files.editing.partners import partners


@pytest.fixture
def folder(tmp_path):
    """Masks of a cat and a dog."""
    for name in ("cat.png", "dog.png"):
        Image.new("L", (2, 2)).save(tmp_path / name)
    return tmp_path


def test_files_go_with_photos_of_their_names(folder, tmp_path):
    photos = [tmp_path / "photos" / name for name in ("dog.jpg", "cat.webp")]
    found = partners(photos, str(folder), "--mask")
    assert [found[photo].name for photo in photos] == ["dog.png", "cat.png"]


def test_one_file_goes_with_one_photo_whatever_its_name(folder, tmp_path):
    photo = tmp_path / "photos" / "emu.jpg"
    assert partners([photo], str(folder / "cat.png"), "--mask") == {photo: folder / "cat.png"}


def test_no_path_means_no_files(tmp_path):
    assert partners([tmp_path / "cat.jpg"], "", "--mask") == {}


def test_a_photo_without_a_file_or_with_two_is_an_error(folder, tmp_path):
    Image.new("L", (2, 2)).save(folder / "cat.bmp")
    photos = [tmp_path / name for name in ("emu.jpg", "cat.jpg", "dog.jpg")]
    with pytest.raises(DataError, match=r"--mask=.* 2 have none or several \(emu\.jpg, cat\.jpg\)"):
        partners(photos, str(folder), "--mask")


def test_files_of_no_photo_are_named(folder, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("symmflow_jax"), "propagate", True)
    caplog.set_level(logging.INFO)
    partners([tmp_path / "cat.jpg"], str(folder), "--mask")
    assert "Passed over in --mask: files of no photo, 1 (dog)" in caplog.text
