"""What is written is read, and what is damaged or of another kind is told."""

import dataclasses
import json

import numpy as np
import pytest

from symmflow_jax.data.fingerprint import Fingerprint, fingerprint
from symmflow_jax.data.latent_cache.cache import LatentCache
from symmflow_jax.data.latent_cache.writer import CacheWriter
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.storage.place import as_path


def test_what_is_written_is_read(folder, examples):
    cache = LatentCache(folder)
    assert len(cache) == 5
    assert cache.index == dataclasses.replace(examples.index, num_examples=5)
    assert cache.schemas == {"mask": examples.index.schema}
    for index in (3, 0, 4):
        np.testing.assert_array_equal(
            cache[index]["moments"], examples.moments[index].astype(np.float16)
        )
        np.testing.assert_array_equal(cache[index]["mask"], examples.masks[index])


def test_leftovers_of_systems_are_passed_over(folder):
    for record in list(folder.glob("*.array_record")):
        record.with_name(f"._{record.name}").write_bytes(b"resources")
    assert len(LatentCache(folder)) == LatentCache(folder).index.num_examples


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


def test_a_cache_in_a_bucket_is_that_on_a_disk(folder, examples, bucket):
    place = as_path(bucket) / "cache"
    with pytest.raises(KeyError), CacheWriter(place, examples.index) as writer:
        writer.write(examples.moments[0], examples.masks[0])
        raise KeyError
    assert not place.exists()
    with CacheWriter(place, examples.index) as writer:
        for moments, mask in zip(examples.moments, examples.masks, strict=True):
            writer.write(moments, mask)
    cache, on_disk = LatentCache(str(place)), LatentCache(folder)
    assert cache.index == on_disk.index and fingerprint(cache).digest == fingerprint(on_disk).digest
    for index in (3, 0):
        np.testing.assert_array_equal(cache[index]["moments"], on_disk[index]["moments"])
    with pytest.raises(DataError, match=f"{place} exists already; remove it"):
        CacheWriter(place, examples.index)
    with pytest.raises(DataError, match=f"{bucket}/none holds no encoded examples"):
        LatentCache(f"{bucket}/none")
