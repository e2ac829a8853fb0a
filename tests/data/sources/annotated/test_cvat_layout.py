"""The folders of an export of CVAT."""

import pathlib
import shutil

import pytest

from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.annotated.cvat_layout import pairs_of

FOLDER = pathlib.Path(__file__).parents[3] / "fixtures" / "own_data" / "cvat"


@pytest.fixture
def export(tmp_path):
    """A copy of the export."""
    return pathlib.Path(shutil.copytree(FOLDER, tmp_path / "export"))


def test_a_list_names_images_and_masks():
    names, pairs = pairs_of(FOLDER, "default")
    assert names == ["frame_000000", "frame_000001"]
    assert [tuple(path.parent.name for path in pair) for pair in pairs] == [
        ("JPEGImages", "SegmentationClass")
    ] * 2


def test_what_is_missing_is_named(export):
    with pytest.raises(DataError, match=r"train.txt does not exist; the lists there are default"):
        pairs_of(export, "train")
    (export / "SegmentationClass" / "frame_000001.png").unlink()
    with pytest.raises(DataError, match="lacks the mask of 1 example .*default.txt.*frame_000001"):
        pairs_of(export, "default")
    shutil.rmtree(export / "JPEGImages")
    with pytest.raises(DataError, match="has no folder JPEGImages. Export from CVAT with 'Save im"):
        pairs_of(export, "default")
    (export / "ImageSets" / "Segmentation" / "default.txt").write_text("\n")
    with pytest.raises(DataError, match="default.txt names no examples"):
        pairs_of(export, "default")
