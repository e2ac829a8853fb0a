"""Fingerprints tell data sets apart by names, sizes and contents, not by their folder."""

import dataclasses
import shutil

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data import fingerprint
from symmflow_jax.data.fingerprint import Fingerprint
from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.classification.npz import Npz
from symmflow_jax.data.sources.segmentation.paired_folder import PairedFolder
from symmflow_jax.data.sources.synthetic.spirals import Spirals
from symmflow_jax.semantics import labels

_SCHEMA = labels.consecutive(("sky", "sea"))


@pytest.fixture
def folder(tmp_path):
    """A folder of three pairs."""
    rng = np.random.default_rng(0)
    for kind, shape, top in (("images", (4, 4, 3), 256), ("masks", (4, 4), 2)):
        (tmp_path / "data" / kind).mkdir(parents=True)
        for name in "abc":
            pixels = rng.integers(0, top, shape).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / kind / f"{name}.bmp")
    return tmp_path / "data"


def _open(folder):
    return PairedFolder(folder / "images", folder / "masks", _SCHEMA)


def _of(folder):
    source = _open(folder)
    return fingerprint.fingerprint(source).digest, fingerprint.content_digest(source)


def _repaint(path):
    """Changes a picture, but neither its name nor its size."""
    pixels = np.asarray(Image.open(path))
    Image.fromarray(255 - pixels).save(path)


def test_moved_data_is_the_same_data(folder, tmp_path):
    before = _of(folder)
    shutil.move(folder, tmp_path / "elsewhere")
    assert _of(tmp_path / "elsewhere") == before
    found = fingerprint.fingerprint(_open(tmp_path / "elsewhere"))
    assert (found.folder, found.num_examples) == (str(tmp_path / "elsewhere"), 3)
    assert found.num_files == 6


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: _repaint(folder / "images" / "b.bmp"),
        lambda folder: [path.rename(path.with_stem("d")) for path in folder.glob("*/b.bmp")],
        lambda folder: [path.unlink() for path in folder.glob("*/b.bmp")],
    ],
)
def test_changed_data_is_other_data(folder, change):
    before = _of(folder)
    change(folder)
    assert all(one != other for one, other in zip(_of(folder), before, strict=True))


def test_large_sets_are_looked_at_in_samples(folder, monkeypatch):
    monkeypatch.setattr(fingerprint, "_MOST_CONTENTS", 2)
    before = _of(folder)
    _repaint(folder / "images" / "b.bmp")  # Neither the first nor the last file.
    after = _of(folder)
    assert after[0] == before[0], "the quick fingerprint looks at both ends only"
    assert after[1] != before[1], "the digest of the content looks at everything"


def test_archives_are_told_apart_by_content(tmp_path):
    found = []
    for value in (0, 1):
        images = np.full((2, 4, 4), value, np.uint8)
        path = tmp_path / str(value) / "set.npz"
        path.parent.mkdir()
        np.savez(path, train_images=images, train_labels=np.arange(2))
        found.append(fingerprint.content_digest(Npz(path, "train")))
    assert found[0] != found[1]


def test_drawn_sources_have_no_files():
    found = fingerprint.fingerprint(Spirals(10, "train", 0))
    assert (found.folder, found.num_examples, found.num_files) == ("", 10, 0)
    assert found != fingerprint.fingerprint(Spirals(11, "train", 0))


def test_missing_file_is_named(folder):
    source = _open(folder)
    (folder / "masks" / "c.bmp").unlink()
    for function in (fingerprint.fingerprint, fingerprint.content_digest):
        with pytest.raises(DataError, match="c.bmp cannot be read: No such file"):
            function(source)


def test_names_may_be_any_bytes(folder):
    for path in folder.glob("*/b.bmp"):
        path.rename(path.parent / "b\udcff.bmp")
    assert all(_of(folder))


def test_round_trip():
    value = Fingerprint("/data", 3, 6, "0123456789abcdef")
    assert Fingerprint.from_json(value.to_json()) == value
    assert dataclasses.asdict(value) == value.to_json()
