"""Images whose masks are drawn."""

import dataclasses
import pathlib
import pickle

import numpy as np
import pytest
from PIL import ExifTags, Image

from symmflow_jax.data.annotations.annotation import check_size
from symmflow_jax.data.decoding.decoding import Decoding
from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.annotated.annotated_images import Annotated, AnnotatedImages
from symmflow_jax.semantics import labels

SCHEMA = labels.filed_under((0, 7), ("background", "car"))


@dataclasses.dataclass(frozen=True)
class _Half:
    """The left half is of one id, at 6x4 pixels."""

    path: pathlib.Path
    number: int = 7

    def ids(self, size):
        check_size(self.path, "its image", (4, 6), size)
        mask = np.zeros(size, np.int32)
        mask[:, :3] = self.number
        return mask


def _source(tmp_path, number=7, orientation=1, **decoding):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    size = (6, 4) if orientation == 1 else (4, 6)
    Image.new("RGB", size, (9, 8, 7)).save(tmp_path / "a.png", exif=exif)
    (tmp_path / "a.json").touch()
    example = Annotated("a.png", tmp_path / "a.png", _Half(tmp_path / "a.json", number))
    return AnnotatedImages([example], SCHEMA, Decoding(**decoding), ("a note",))


def test_masks_are_drawn_at_the_size_of_the_image(tmp_path):
    source = pickle.loads(pickle.dumps(_source(tmp_path)))
    np.testing.assert_array_equal(source[0]["mask"], [[1, 1, 1, 0, 0, 0]] * 4)
    assert source[0]["image"].size == (6, 4)
    assert source.files == (tmp_path / "a.png", tmp_path / "a.json")
    assert source.only((0,)).notes == ("a note",)
    stored = source.stored(0)
    assert stored.image == (tmp_path / "a.png").read_bytes()
    np.testing.assert_array_equal(stored.mask, source[0]["mask"])


def test_a_turned_photo_has_the_turned_size(tmp_path):
    assert _source(tmp_path, orientation=6)[0]["mask"].shape == (4, 6)
    with pytest.raises(DataError, match="of 6x4 .*but the image has 4x6 pixels.*data.exif"):
        _source(tmp_path, orientation=6, applies_exif=False)[0]


def test_ids_without_a_class_are_told(tmp_path):
    with pytest.raises(DataError, match="a.json: ids 5 are outside the class list"):
        _source(tmp_path, number=5)[0]
