"""Colours of labels in exports of CVAT."""

import pytest

from symmflow_jax.data.annotations.labelmap import read_labelmap
from symmflow_jax.data.source import DataError


def test_labels_have_their_colours_in_the_order_of_the_file(tmp_path):
    (tmp_path / "labelmap.txt").write_text(
        "# label:color_rgb:parts:actions\nbackground:0,0,0::\nroad: wet:128,64,128::\n"
        "person:51,221,255:hand,foot:walking\n"
    )
    assert list(read_labelmap(tmp_path / "labelmap.txt").items()) == [
        ("background", (0, 0, 0)),
        ("road: wet", (128, 64, 128)),
        ("person", (51, 221, 255)),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("car:::", "line 1 is 'car:::', not written as label:red,green,blue"),
        ("car", "line 1 is 'car', not written as"),
        ("car:0,0,256::", "has the colour 0,0,256; levels are 0 to 255"),
        ("car:0,0,1::\nbus:0,0,1::", "line 2: the label 'bus' or its colour occurs twice"),
        ("# nothing", "names no labels"),
    ],
)
def test_lists_that_cannot_be_read_are_refused(tmp_path, text, message):
    (tmp_path / "labelmap.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        read_labelmap(tmp_path / "labelmap.txt")


def test_a_missing_list_is_told_with_the_export(tmp_path):
    with pytest.raises(DataError, match="Export the task from CVAT as 'Segmentation mask 1.1'"):
        read_labelmap(tmp_path / "labelmap.txt")
