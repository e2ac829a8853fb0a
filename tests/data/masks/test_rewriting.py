"""New masks beside the old ones, which stay as they are."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.masks.ids import read_mask
from symmflow_jax.data.masks.rewriting import line, rewrite
from symmflow_jax.data.source import DataError

STORED = np.array([[0, 257], [514, 65535]], np.uint16)


@pytest.fixture
def masks(tmp_path):
    """A folder with a mask at the top, one in a sub-folder, and files that are no masks."""
    folder = tmp_path / "masks"
    (folder / "city").mkdir(parents=True)
    for name in ("a.png", "city/b.png"):
        Image.fromarray(STORED).save(folder / name)
    (folder / "._a.png").write_bytes(b"of macOS")
    (folder / "notes.txt").write_text("no mask")
    return folder


def test_masks_are_written_to_a_folder_beside(masks):
    before = {path: path.read_bytes() for path in masks.rglob("*") if path.is_file()}
    written = rewrite(masks, lambda ids: ids // 257)
    assert written == masks.with_name("masks_ids")
    assert {str(path.relative_to(written)) for path in written.rglob("*.*")} == {
        "a.png",
        "city/b.png",
    }
    for name in ("a.png", "city/b.png"):
        read = read_mask(written / name)
        assert read.dtype == np.uint8
        np.testing.assert_array_equal(read, [[0, 1], [2, 255]])
    assert before == {path: path.read_bytes() for path in masks.rglob("*") if path.is_file()}


def test_ids_above_255_get_16_bits(masks):
    np.testing.assert_array_equal(read_mask(rewrite(masks, lambda ids: ids) / "a.png"), STORED)


def test_what_exists_is_kept(masks):
    masks.with_name("masks_ids").mkdir()
    with pytest.raises(DataError, match="masks_ids exists; remove it, or give another folder"):
        rewrite(masks, lambda ids: ids)
    assert rewrite(masks, lambda ids: ids, masks.with_name("new")).name == "new"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda ids: ids / 2, "no whole numbers in two dimensions"),
        (lambda ids: ids[0], "no whole numbers in two dimensions"),
        (lambda ids: ids.astype(int) - 1, "gives ids from -1 to 65534"),
    ],
)
def test_changes_that_give_no_ids_are_refused(masks, change, message):
    with pytest.raises(DataError, match=message):
        rewrite(masks, change)


def test_a_folder_without_masks_is_refused(tmp_path):
    with pytest.raises(DataError, match="contains no masks"):
        rewrite(tmp_path, lambda ids: ids)


def test_the_command_imports_what_it_needs(masks):
    assert "import numpy" not in line(masks, "ids // 257")
    assert "import numpy as np; " in line(masks, "np.rint(ids)")
