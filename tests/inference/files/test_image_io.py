"""Names of outputs, and full batches."""

import pathlib

import numpy as np
import pytest

from symmflow_jax.inference.files.image_io import (
    BATCH_SIZE,
    batches,
    check_folder,
    output_names,
    padded,
)
from symmflow_jax.runtime.outputs import OutputError


def test_two_inputs_of_one_stem_have_outputs_of_their_own(log):
    paths = [pathlib.Path(name) for name in ("cat.jpg", "cat.png", "dog.png", "scan")]
    names = output_names(paths, [".png", "_overlay.png"])
    assert names == ["cat_jpg", "cat_png", "dog", "scan"]
    assert "cat.jpg as cat_jpg, cat.png as cat_png" in log.text


@pytest.mark.parametrize("name", ["photos", "photos/.", "link", "photos/../photos"])
def test_results_do_not_go_among_the_inputs(tmp_path, name):
    (tmp_path / "photos").mkdir()
    (tmp_path / "link").symlink_to("photos")
    with pytest.raises(OutputError, match=r"--output is the folder of --input .* another --output"):
        check_folder(tmp_path / name, str(tmp_path / "photos"))
    check_folder(tmp_path / "photos" / "masks", str(tmp_path / "photos"))
    check_folder(tmp_path / "photos", str(tmp_path / "photos" / "cat.png"))


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
