"""Pictures of a folder, full batches, and files of ids."""

import numpy as np
import pytest

from symmflow_jax.data.source import DataError
from symmflow_jax.inference.files.image_io import (
    BATCH_SIZE,
    batches,
    image_paths,
    padded,
)


def test_the_pictures_of_a_folder_come_in_the_order_of_their_names(tmp_path):
    for name in ("c.png", "a.JPG", "b.jpeg", "notes.txt", "a.npy"):
        (tmp_path / name).touch()
    names = [path.name for path in image_paths(str(tmp_path))]
    assert names == ["a.JPG", "b.jpeg", "c.png"]


def test_a_file_is_taken_whatever_its_name(tmp_path):
    (tmp_path / "scan").touch()
    assert image_paths(str(tmp_path / "scan")) == [tmp_path / "scan"]


@pytest.mark.parametrize("name", ["", "empty", "missing"])
def test_nothing_to_read_is_an_error(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "here.png").touch()  # "" is not this folder.
    with pytest.raises(DataError, match=rf"--input='{name}' is no image and no folder .*\.png"):
        image_paths(name)


@pytest.mark.parametrize("count", [0, 1, BATCH_SIZE, 2 * BATCH_SIZE + 3])
def test_batches_hold_every_item_once(count):
    items = list(range(count))
    found = list(batches(items))
    assert [item for batch in found for item in batch] == items
    assert all(len(batch) == BATCH_SIZE for batch in found[:-1])


@pytest.mark.parametrize("count", [1, 3, BATCH_SIZE])
def test_padding_fills_a_batch_behind_its_items(count):
    array = np.arange(7, 7 + 2 * count, dtype=np.int32).reshape(count, 2)
    full = padded(array)
    assert full.shape == (BATCH_SIZE, 2) and full.dtype == np.int32
    np.testing.assert_array_equal(full[:count], array)
    assert set(full[count:].ravel()) <= {7, 8}
