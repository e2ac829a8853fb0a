"""A cache is written whole or not at all."""

import dataclasses

import numpy as np
import pytest

from symmflow_jax.data.latent_cache import writer as writer_module
from symmflow_jax.data.latent_cache.cache import LatentCache
from symmflow_jax.data.latent_cache.writer import CacheWriter
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.outputs import OutputError
from symmflow_jax.semantics import labels


def test_examples_keep_their_order_over_several_files(tmp_path, monkeypatch, examples):
    monkeypatch.setattr(writer_module, "_RECORDS_PER_FILE", 2)
    with CacheWriter(tmp_path / "cache", examples.index) as writer:
        for moments, mask in zip(examples.moments, examples.masks, strict=True):
            writer.write(moments, mask)
    assert len(list((tmp_path / "cache").glob("*.array_record"))) == 3
    cache = LatentCache(tmp_path / "cache")
    for index, mask in enumerate(examples.masks):
        np.testing.assert_array_equal(cache[index]["mask"], mask)


def test_a_full_disk_leaves_no_cache(tmp_path, full_disk, examples):
    with (
        full_disk(),
        pytest.raises(OutputError, match=r"cache could not be written \(.*File too large") as error,
        CacheWriter(tmp_path / "cache", examples.index) as writer,
    ):
        writer.write(examples.moments[0], examples.masks[0])
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_only_what_an_interrupted_run_has_left_is_removed(tmp_path, examples):
    partial = tmp_path / "cache.partial"
    partial.mkdir()
    (partial / "examples-00000.array_record").write_text("half")
    (partial / "mine.txt").write_text("mine")
    writer = CacheWriter(tmp_path / "cache", examples.index)
    with pytest.raises(DataError, match=r"cache\.partial .* holds other files, such as mine\.txt"):
        writer.__enter__()
    assert (partial / "mine.txt").read_text() == "mine"
    (partial / "mine.txt").unlink()
    with writer:
        writer.write(examples.moments[0], examples.masks[0])
    assert len(LatentCache(tmp_path / "cache")) == 1


def test_more_than_256_classes_are_kept(tmp_path, examples):
    schema = labels.consecutive(tuple(f"class {number}" for number in range(300)))
    with CacheWriter(
        tmp_path / "cache", dataclasses.replace(examples.index, schema=schema)
    ) as writer:
        writer.write(examples.moments[0], np.full((8, 8), 299, np.int32))
    np.testing.assert_array_equal(LatentCache(tmp_path / "cache")[0]["mask"], 299)


def test_an_interrupted_cache_is_none(tmp_path, examples):
    with (
        pytest.raises(KeyboardInterrupt),
        CacheWriter(tmp_path / "cache", examples.index) as writer,
    ):
        writer.write(examples.moments[0], examples.masks[0])
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())
    # What a killed process leaves has another name, and is in nobody's way.
    (tmp_path / "cache.partial").mkdir()
    (tmp_path / "cache.partial" / "examples-00000.array_record").write_bytes(b"half")
    with pytest.raises(DataError, match="holds no encoded examples; make them with --mode=encode"):
        LatentCache(tmp_path / "cache")
    with CacheWriter(tmp_path / "cache", examples.index) as writer:
        writer.write(examples.moments[0], examples.masks[0])
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]
    assert len(LatentCache(tmp_path / "cache")) == 1


def test_nothing_is_written_over(folder, examples):
    with pytest.raises(DataError, match=r"exists already; remove it.*config\.data\.latents"):
        CacheWriter(folder, examples.index)
