"""Images and masks of pairs of files, whatever the folders are like."""

import pickle
import re

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.decoding.decoding import Decoding
from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.segmentation.image_pairs import ImagePairs, to_classes
from symmflow_jax.semantics import labels

SCHEMA = labels.filed_under((7, 11, 30), ("sky", "road", "tree"), ignored_id=255)
IDS = np.array([[7, 11, 30], [255, 7, 7]], np.uint8)
CLASSES = np.array([[0, 1, 2], [3, 0, 0]])
COLOURS = ((0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255))


def _pair(folder, mask, name="a"):
    """Files of a grey gradient and of a mask, which may be of another size."""
    image = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    paths = folder / f"{name}.png", folder / f"{name}_mask.png"
    for path, array in zip(paths, (image, mask), strict=True):
        Image.fromarray(array).save(path)
    return paths


def test_ids_become_classes_beside_the_picture(tmp_path):
    pairs = [_pair(tmp_path, IDS), _pair(tmp_path, IDS[::-1], "b")]
    source = pickle.loads(pickle.dumps(ImagePairs(pairs, SCHEMA)))
    assert len(source) == 2 and source.schemas == {"mask": SCHEMA}
    assert source[0]["image"].size == (3, 2)
    np.testing.assert_array_equal(source[0]["image"], np.arange(18).reshape(2, 3, 3))
    np.testing.assert_array_equal(source[0]["mask"], CLASSES)
    np.testing.assert_array_equal(source[1]["mask"], CLASSES[::-1])


def test_coloured_masks_are_in_the_order_of_the_classes(tmp_path):
    pair = _pair(tmp_path, np.asarray(COLOURS, np.uint8)[CLASSES])
    source = ImagePairs([pair], SCHEMA, COLOURS)
    np.testing.assert_array_equal(source[0]["mask"], CLASSES)


def test_files_are_read_when_they_are_asked_for(tmp_path):
    pairs = [_pair(tmp_path, IDS), (tmp_path / "gone.png", tmp_path / "gone_mask.png")]
    source = ImagePairs(pairs, SCHEMA)
    assert source[0]["mask"].shape == (2, 3)
    with pytest.raises(DataError, match="gone.png does not exist"):
        source[1]


def test_size_mismatch_names_both_files_and_sizes(tmp_path):
    source = ImagePairs([_pair(tmp_path, IDS[:1])], SCHEMA)
    with pytest.raises(DataError, match=r"a.png is 3x2 but its mask .*a_mask.png is 3x1"):
        source[0]


def test_ids_outside_the_class_list_are_named(tmp_path):
    ids = IDS.copy()
    ids[0, :2] = 8, 40
    source = ImagePairs([_pair(tmp_path, ids)], SCHEMA)
    with pytest.raises(DataError, match=r"a_mask.png: ids 8, 40 are outside the class list"):
        source[0]


def test_masks_of_16_bits_have_classes_too(tmp_path):
    path = tmp_path / "a.png"
    np.testing.assert_array_equal(to_classes(IDS.astype(np.int32), SCHEMA, path), CLASSES)
    with pytest.raises(DataError, match="a.png: ids 1000 are outside"):
        to_classes(np.array([[1000]], np.int32), SCHEMA, path)


def _turned_pair(folder, orientation, mask_size, mask_orientation=1):
    """Files of a photo of 4x2 raw pixels with an EXIF orientation, and of a mask."""
    paths = folder / "a.jpg", folder / "a_mask.png"
    for path, size, value in zip(
        paths, ((4, 2), mask_size), (orientation, mask_orientation), strict=True
    ):
        picture = Image.new("RGB" if path.suffix == ".jpg" else "L", size, 7)
        exif = picture.getexif()
        exif[0x0112] = value
        picture.save(path, exif=exif)
    return paths


@pytest.mark.parametrize(
    ("orientation", "mask_size", "mask_orientation", "exif", "message"),
    [
        (6, (4, 2), 1, "apply", "is 2x4 but .* is 4x2 .* after .*image 6, mask 1.*exif=ignore if"),
        (1, (4, 2), 8, "apply", "is 4x2 but .* is 2x4 .* after .*image 1, mask 8.*exif=ignore if"),
        (6, (2, 4), 1, "ignore", "is 4x2 but .* is 2x4 .* as raw pixels.*image 6.*exif=apply if"),
        (6, (3, 3), 1, "apply", "is 2x4 but .* is 3x3 .*; make the mask again"),
        (1, (2, 4), 1, "ignore", "is 4x2 but .* is 2x4 .*; make the mask again"),
    ],
)
def test_sizes_that_fit_without_the_turn_name_the_key(
    tmp_path, orientation, mask_size, mask_orientation, exif, message
):
    pair = _turned_pair(tmp_path, orientation, mask_size, mask_orientation)
    applies = {"apply": True, "ignore": False}
    source = ImagePairs([pair], SCHEMA, decoding=Decoding(applies_exif=applies[exif]))
    with pytest.raises(DataError, match=message) as error:
        source[0]
    named = re.search(r"--config\.data\.exif=(\w+)", str(error.value))
    if named:
        mended = ImagePairs([pair], SCHEMA, decoding=Decoding(applies_exif=applies[named[1]]))
        assert mended[0]["mask"].shape == mended[0]["image"].size[::-1]


def test_large_photos_and_masks_are_refused(tmp_path):
    source = ImagePairs([_pair(tmp_path, IDS)], SCHEMA, decoding=Decoding(max_megapixels=5e-6))
    with pytest.raises(DataError, match=r"a.png has 3x2 pixels .*more than the limit of 5e-06"):
        source[0]


def test_palette_masks_are_read_by_colour_if_colours_are_given(tmp_path):
    pairs = []
    for name, order in (("a", (0, 1, 2, 3)), ("b", (3, 1, 0, 2))):
        image, path = _pair(tmp_path, IDS, name)
        picture = Image.fromarray(np.argsort(order)[CLASSES].astype(np.uint8))
        picture.putpalette([level for number in order for level in COLOURS[number]])
        picture.save(path)
        pairs.append((image, path))
    source = ImagePairs(pairs, SCHEMA, COLOURS)
    for index in range(2):
        np.testing.assert_array_equal(source[index]["mask"], CLASSES)


def test_opaque_masks_in_colours_are_read(tmp_path):
    pixels = np.asarray(COLOURS, np.uint8)[CLASSES]
    image, path = _pair(tmp_path, IDS)
    Image.fromarray(pixels).convert("RGBA").save(path)
    np.testing.assert_array_equal(ImagePairs([(image, path)], SCHEMA, COLOURS)[0]["mask"], CLASSES)
