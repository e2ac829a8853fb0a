import dataclasses
import json

import numpy as np
import pytest

from symmflow_jax.data import latent_cache, pipeline
from symmflow_jax.data.fingerprint import Fingerprint
from symmflow_jax.data.latent_cache import CachedPreparation, CacheIndex, CacheWriter, LatentCache
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.outputs import OutputError
from symmflow_jax.semantics import labels

_INDEX = CacheIndex(
    source="shapes",
    split="train",
    target="mask",
    image_size=(8, 8),
    has_mirrored=True,
    encoder_hash="0123456789abcdef",
    num_examples=0,
    schema=labels.consecutive(("sky", "left", "right")),
)
_RNG = np.random.default_rng(0)
_MOMENTS = _RNG.standard_normal((5, 2, 4, 4, 6)).astype(np.float32)
_MASKS = _RNG.integers(0, 3, (5, 8, 8), np.int32)


@pytest.fixture
def folder(tmp_path):
    with CacheWriter(tmp_path / "cache", _INDEX) as writer:
        for moments, mask in zip(_MOMENTS, _MASKS, strict=True):
            writer.write(moments, mask)
    return tmp_path / "cache"


def test_what_is_written_is_read(folder):
    cache = LatentCache(folder)
    assert len(cache) == 5
    assert cache.index == dataclasses.replace(_INDEX, num_examples=5)
    assert cache.schemas == {"mask": _INDEX.schema}
    for index in (3, 0, 4):
        np.testing.assert_array_equal(cache[index]["moments"], _MOMENTS[index].astype(np.float16))
        np.testing.assert_array_equal(cache[index]["mask"], _MASKS[index])


def test_leftovers_of_systems_are_passed_over(folder):
    for record in list(folder.glob("*.array_record")):
        record.with_name(f"._{record.name}").write_bytes(b"resources")
    assert len(LatentCache(folder)) == LatentCache(folder).index.num_examples


def test_examples_keep_their_order_over_several_files(tmp_path, monkeypatch):
    monkeypatch.setattr(latent_cache, "_RECORDS_PER_FILE", 2)
    with CacheWriter(tmp_path / "cache", _INDEX) as writer:
        for moments, mask in zip(_MOMENTS, _MASKS, strict=True):
            writer.write(moments, mask)
    assert len(list((tmp_path / "cache").glob("*.array_record"))) == 3
    cache = LatentCache(tmp_path / "cache")
    for index, mask in enumerate(_MASKS):
        np.testing.assert_array_equal(cache[index]["mask"], mask)


def test_a_full_disk_leaves_no_cache(tmp_path, full_disk):
    with (
        full_disk(),
        pytest.raises(OutputError, match=r"cache could not be written \(.*File too large") as error,
        CacheWriter(tmp_path / "cache", _INDEX) as writer,
    ):
        writer.write(_MOMENTS[0], _MASKS[0])
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_only_what_an_interrupted_run_has_left_is_removed(tmp_path):
    partial = tmp_path / "cache.partial"
    partial.mkdir()
    (partial / "examples-00000.array_record").write_text("half")
    (partial / "mine.txt").write_text("mine")
    writer = CacheWriter(tmp_path / "cache", _INDEX)
    with pytest.raises(DataError, match=r"cache\.partial .* holds other files, such as mine\.txt"):
        writer.__enter__()
    assert (partial / "mine.txt").read_text() == "mine"
    (partial / "mine.txt").unlink()
    with writer:
        writer.write(_MOMENTS[0], _MASKS[0])
    assert len(LatentCache(tmp_path / "cache")) == 1


def test_more_than_256_classes_are_kept(tmp_path):
    schema = labels.consecutive(tuple(f"class {number}" for number in range(300)))
    with CacheWriter(tmp_path / "cache", dataclasses.replace(_INDEX, schema=schema)) as writer:
        writer.write(_MOMENTS[0], np.full((8, 8), 299, np.int32))
    np.testing.assert_array_equal(LatentCache(tmp_path / "cache")[0]["mask"], 299)


def test_an_interrupted_cache_is_none(tmp_path):
    with pytest.raises(KeyboardInterrupt), CacheWriter(tmp_path / "cache", _INDEX) as writer:
        writer.write(_MOMENTS[0], _MASKS[0])
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())
    # What a killed process leaves has another name, and is in nobody's way.
    (tmp_path / "cache.partial").mkdir()
    (tmp_path / "cache.partial" / "examples-00000.array_record").write_bytes(b"half")
    with pytest.raises(DataError, match="holds no encoded examples; make them with --mode=encode"):
        LatentCache(tmp_path / "cache")
    with CacheWriter(tmp_path / "cache", _INDEX) as writer:
        writer.write(_MOMENTS[0], _MASKS[0])
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]
    assert len(LatentCache(tmp_path / "cache")) == 1


def test_nothing_is_written_over(folder):
    with pytest.raises(DataError, match=r"exists already; remove it.*config\.data\.latents"):
        CacheWriter(folder, _INDEX)


def test_damage_is_told(folder):
    cache = LatentCache(folder)
    cache._records = [b"no tensors"] * 5
    with pytest.raises(DataError, match=r"Example 2 of .*cache cannot be read .*--mode=encode"):
        cache[2]
    index = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(index | {"num_examples": 6}))
    with pytest.raises(DataError, match="has 5 of 6 examples that its index tells of"):
        LatentCache(folder)
    (folder / "index.json").write_text("{")
    with pytest.raises(DataError, match=r"index\.json is damaged"):
        LatentCache(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("num_examples", "5"), ("target", 3), ("has_mirrored", None), ("image_size", [8, "8"]),
        ("image_size", [8, -8]), ("schema", None), ("seed", []), ("more", 1),
    ],
)  # fmt: skip
def test_an_index_of_other_types_is_named(folder, key, value):
    index = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(index | {key: value}))
    with pytest.raises(DataError, match=r"index\.json is damaged \(.*encode again"):
        LatentCache(folder)


def test_records_that_cannot_be_opened_are_named(folder):
    (file,) = folder.glob("*.array_record")
    content = file.read_bytes()
    for damaged in (b"", b"no records", content[:-1000], content + b"more"):
        file.write_bytes(damaged)
        with pytest.raises(DataError, match=rf"{file.name} cannot be read \(.*encode again"):
            LatentCache(folder)
    file.unlink()
    with pytest.raises(DataError, match="has an index, but no files of examples"):
        LatentCache(folder)
    file.mkdir()
    with pytest.raises(DataError, match=f"{file.name} is no file; encode again"):
        LatentCache(folder)


def test_caches_of_another_kind_are_refused(folder):
    cache = LatentCache(folder)
    cache.check_fits({"image_size": (8, 8), "has_mirrored": False})
    with pytest.raises(DataError) as error:
        cache.check_fits({"image_size": (16, 16), "split": "train", "encoder_hash": "fedc"})
    assert "image_size is (8, 8), the run's (16, 16)" in str(error.value)
    assert "encoder_hash is '0123456789abcdef', the run's 'fedc'" in str(error.value)
    assert "split" not in str(error.value)


def test_a_cache_of_an_earlier_version_is_not_compared_with_the_files(folder):
    index = json.loads((folder / "index.json").read_text())
    del index["data_digest"], index["seed"], index["exif"]
    (folder / "index.json").write_text(json.dumps(index))
    LatentCache(folder).check_fits({"seed": 3, "exif": "ignore"})
    LatentCache(folder).check_data(Fingerprint("/data", 3, 3, "0123456789abcdef"))


def test_training_sees_both_mirror_images_and_their_masks(folder):
    preparation = CachedPreparation("mask", random_flip=True, mirrored=((1, 2),))
    batches = pipeline.training_batches(LatentCache(folder), preparation, batch_size=5, seed=0)
    seen = set()
    swap = np.asarray([0, 2, 1])
    for _ in range(4):
        batch = next(batches)
        assert batch.image.values.dtype == np.float16 and batch.labels.dtype == np.int32
        for moments, mask in zip(batch.image.values, batch.labels, strict=True):
            variants = np.all(moments == _MOMENTS.astype(np.float16), axis=(2, 3, 4))
            ((example, variant),) = np.argwhere(variants)
            expected = swap[_MASKS[example][:, ::-1]] if variant else _MASKS[example]
            np.testing.assert_array_equal(mask, expected)
            seen.add(variant)
    assert seen == {0, 1}
    unflipped = CachedPreparation("mask").augment(LatentCache(folder)[1], _RNG)
    np.testing.assert_array_equal(unflipped["image"], _MOMENTS[1, 0].astype(np.float16))
