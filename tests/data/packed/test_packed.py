"""Packed examples are those of the source that was packed, in every pixel."""

import pickle

import numpy as np
import pytest
from PIL import ExifTags, Image

from symmflow_jax.data.decoding.decoding import Decoding
from symmflow_jax.data.fingerprint import content_digest, fingerprint
from symmflow_jax.data.packed.packed import Packed
from symmflow_jax.data.source import DataError, classes_found
from symmflow_jax.data.sources.classification.arrays.labelled_arrays import LabelledArrays
from symmflow_jax.data.sources.segmentation.celebamask_hq import CelebAMaskHQ
from symmflow_jax.data.sources.segmentation.paired_folder import PairedFolder
from symmflow_jax.data.sources.synthetic.shapes import Shapes
from symmflow_jax.data.sources.synthetic.spirals import Spirals
from symmflow_jax.runtime.storage import downloads
from symmflow_jax.runtime.storage.place import as_path
from symmflow_jax.semantics import labels


def _assert_equal(packed, loose):
    assert len(packed) == len(loose) and packed.schemas == loose.schemas
    for index in range(len(loose)):
        found, expected = packed[index], loose[index]
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            array, other = np.asarray(found[key]), np.asarray(value)
            assert array.shape == other.shape
            np.testing.assert_array_equal(array, other)


def _packed(packing, source, *options):
    made = packing(source, *options)
    made.finish()
    return made.open()


def test_files_are_packed_as_they_are(pairs, packing):
    loose = pairs(5)
    packed = _packed(packing, loose)
    _assert_equal(packed, loose)
    _assert_equal(pickle.loads(pickle.dumps(packed)), loose)
    for index, (image, _) in enumerate(loose.pairs):
        assert packed.stored(index).image == image.read_bytes()
        name, mask = packed.read(index).paths
        assert name.parts[-3:] == (f"{index // 2:05d}.array_record", "images", f"{index}.jpg")
        assert mask.name == f"{index}.jpg (mask)"
    with pytest.raises(IndexError, match="Example 5 is outside 0 to 4"):
        packed[5]


@pytest.mark.parametrize("ids", [(3, 60_000), (3, 70_000)])
def test_large_ids_are_packed_too(pairs, packing, ids):
    schema = labels.filed_under(ids, ("sky", "road"))
    if max(ids) < 2**16:
        loose = pairs(2, schema=schema)
    else:  # In a file of 32 bits.
        for_files = labels.filed_under((3, 60_000), ("sky", "road"))
        loose = pairs(2, schema=for_files)
        for _, mask in loose.pairs:
            array = np.asarray(Image.open(mask)).astype(np.int32)
            Image.fromarray(np.where(array == 60_000, ids[1], array)).save(mask.with_suffix(".tif"))
            mask.unlink()
        folder = loose.pairs[0][0].parent.parent
        loose = PairedFolder(folder / "images", folder / "masks", schema)
    _assert_equal(_packed(packing, loose), loose)


def test_masks_in_colours_are_packed_as_ids(pairs, packing):
    loose = pairs(2)
    for _, mask in loose.pairs:
        road = np.asarray(Image.open(mask)) == 11
        Image.fromarray(np.where(road[..., None], (255, 0, 0), (0, 0, 0)).astype(np.uint8)).save(
            mask
        )
    folder = loose.pairs[0][0].parent.parent
    schema = labels.consecutive(("sky", "road"))
    colours = ((0, 0, 0), (255, 0, 0))
    loose = PairedFolder(folder / "images", folder / "masks", schema, colours)
    _assert_equal(_packed(packing, loose), loose)


def _turn(path, orientation):
    picture = Image.open(path)
    exif = picture.getexif()
    exif[ExifTags.Base.Orientation] = orientation
    picture.save(path, exif=exif)


@pytest.mark.parametrize("packed_with", [True, False])
def test_orientations_count_or_not_as_in_the_files(pairs, packing, packed_with):
    loose = pairs(5)
    for (image, mask), orientation in zip(loose.pairs, (1, 2, 3, 6, 8), strict=True):
        _turn(image, orientation)
        _turn(mask, orientation)
    folder = loose.pairs[0][0].parent.parent

    def opened(applies):
        return PairedFolder(
            folder / "images",
            folder / "masks",
            loose.schemas["mask"],
            decoding=Decoding(applies_exif=applies),
        )

    made = packing(opened(packed_with))
    made.finish()
    for applies in (True, False):
        packed = made.open(Decoding(applies_exif=applies))
        _assert_equal(packed, opened(applies))
        assert packed.read(3).mask_header.orientation == 6
    assert packed[4]["mask"].shape != made.open()[4]["mask"].shape


def test_a_turn_of_one_file_alone_is_told_as_of_loose_files(pairs, packing):
    loose = pairs(1)
    made = packing(loose)
    _turn(loose.pairs[0][0], 6)
    made.writer.source.decoding = Decoding(applies_exif=False)
    made.finish()
    with pytest.raises(DataError, match=r"0\.jpg is .* its mask .*\(mask\).*exif=ignore"):
        made.open()[0]
    assert made.open(Decoding(applies_exif=False))[0]["mask"].shape == (6, 9)
    with pytest.raises(DataError, match=r"max_megapixels=1 raises the limit"):
        made.open(Decoding(max_megapixels=1e-6))[0]


@pytest.mark.parametrize(("source", "images"), [(Shapes(3, "train", 0), "pixels"),
                                                (Spirals(3, "train", 0), "points")])  # fmt: skip
def test_arrays_and_points_are_packed(packing, source, images):
    packed = _packed(packing, source, images)
    _assert_equal(packed, source)
    assert not packed.has_pairs and packed.has_points == (images == "points")
    assert packed[0]["image"].dtype == source[0]["image"].dtype
    assert classes_found(packed) is None
    np.testing.assert_array_equal(packed.stored(1).image, source[1]["image"])


def test_labels_that_occur_are_known(packing, tmp_path):
    file = tmp_path / "set.npz"
    file.touch()
    arrays = LabelledArrays((file,), np.zeros((4, 2, 2), np.uint8), np.array([0, 3, 1, 0]))
    made = packing(arrays, "pixels", counted=True)
    made.finish()
    _assert_equal(made.open(), arrays)
    assert classes_found(made.open()) == (0, 1, 3)


def test_faces_have_masks_of_their_size(packing, tmp_path):
    root = tmp_path / "CelebAMask-HQ"
    rng = np.random.default_rng(0)
    for name in ("CelebA-HQ-img", "CelebAMask-HQ-mask"):
        (root / name).mkdir(parents=True)
    for number in range(10):
        picture = rng.integers(256, size=(8, 8, 3), dtype=np.uint8)
        Image.fromarray(picture).save(root / f"CelebA-HQ-img/{number}.jpg")
        mask = rng.integers(19, size=(4, 4), dtype=np.uint8)
        Image.fromarray(mask).save(root / f"CelebAMask-HQ-mask/{number}.png")
    _turn(root / "CelebAMask-HQ-mask/0.png", 6)
    made = packing(CelebAMaskHQ(root, "train"))
    made.finish()
    for applies in (True, False):
        decoding = Decoding(applies_exif=applies)
        _assert_equal(made.open(decoding), CelebAMaskHQ(root, "train", decoding))


def test_a_packed_set_can_be_packed_again(pairs, packing, tmp_path):
    loose = pairs(3)
    packed = _packed(packing, loose)
    again = packing(packed, split="again")
    again.finish()
    _assert_equal(again.open(), loose)


def _damaged(made, change):
    path = made.writer.where.shard(0)
    path.write_bytes(change(path.read_bytes()))


def test_shards_that_are_missing_or_short_are_refused(pairs, packing):
    made = packing(pairs(3))
    made.finish()
    _damaged(made, lambda content: content[:-1000])
    with pytest.raises(DataError, match=r"00000\.array_record has \d+ bytes, and \d+ were packed"):
        made.open()
    made.writer.where.shard(0).unlink()
    with pytest.raises(DataError, match=r"00000\.array_record is missing. Copy the folder again"):
        made.open()


def test_flipped_bits_are_never_read(pairs, packing):
    """A bit of each part of a record, and one in the middle of each shard."""
    made = packing(pairs(3))
    made.finish()
    content = made.writer.where.shard(0).read_bytes()
    whole = [np.asarray(made.open()[i]["image"]) for i in range(3)]
    used = np.flatnonzero(np.frombuffer(content, np.uint8))
    refused = 0
    for place in used[:: len(used) // 40]:
        flipped = bytearray(content)
        flipped[place] ^= 1
        _damaged(made, lambda _, flipped=flipped: bytes(flipped))
        packed = made.open()
        for index in range(3):
            try:
                np.testing.assert_array_equal(np.asarray(packed[index]["image"]), whole[index])
            except DataError as error:
                refused += 1
                assert "00000.array_record (record" in str(error) and index < 2
        (message,) = packed.damaged()
        assert "00000.array_record does not hold the bytes that were packed" in message
    assert refused > 40
    _damaged(made, lambda _: content)
    assert made.open().damaged() == []


def test_other_examples_have_another_fingerprint(pairs, packing):
    loose = pairs(4)
    made = packing(loose)
    made.finish()
    first, content = fingerprint(made.open()), content_digest(made.open())
    assert (first.num_examples, first.num_files) == (4, 4)
    assert fingerprint(made.open()) == first
    # In the middle of the data, with the same size.
    mask = np.asarray(Image.open(loose.pairs[2][1]))
    Image.fromarray(np.roll(mask, 1)).save(loose.pairs[2][1])
    made.finish()
    assert fingerprint(made.open()).digest != first.digest
    assert content_digest(made.open()) != content


def test_the_place_does_not_matter(pairs, packing, tmp_path):
    made = packing(pairs(2))
    made.finish()
    before = fingerprint(made.open())
    made.place.folder.rename(tmp_path / "moved")
    assert fingerprint(Packed(tmp_path / "moved", "train")).digest == before.digest


def test_a_folder_in_a_bucket_is_that_on_a_disk(pairs, packing, bucket):
    loose = pairs(5)
    on_disk = _packed(packing, loose)
    folder = as_path(bucket) / "packed"
    for path in on_disk.files:
        (folder / path.relative_to(on_disk.files[0].parent).as_posix()).upload(path)
    packed = Packed(folder, "train")
    assert not downloads.copy_of(packed.files[1]).exists()
    assert fingerprint(packed).digest == fingerprint(on_disk).digest
    assert fingerprint(packed).folder == str(folder)
    packed[4]
    copied = [downloads.copy_of(path).exists() for path in packed.files[1:-1]]
    assert copied == [False, False, True]
    _assert_equal(pickle.loads(pickle.dumps(packed)), loose)
    assert packed.damaged() == []
    packed.files[1].write_bytes(b"short")
    with pytest.raises(DataError, match=rf"The shard {packed.files[1]} has 5 bytes, and "):
        Packed(folder, "train")
    with pytest.raises(DataError, match=f"{folder} has no split 'val'; it has train"):
        Packed(folder, "val")
    with pytest.raises(DataError, match=f"{bucket}/none does not exist"):
        Packed(as_path(bucket) / "none", "train")
