"""What annotations of all forms share: sizes that must agree, and JSON files."""

import pathlib

import pytest

from symmflow_jax.data.annotations.annotation import check_size, read_json
from symmflow_jax.data.source import DataError

FILE = pathlib.Path("a.json")


def test_an_annotation_is_of_an_image_of_its_size():
    check_size(FILE, "a.jpg", (20, 30), (20, 30))
    with pytest.raises(DataError, match=r"a.json is for a.jpg of 30x20 .*has 20x30.*data\.exif"):
        check_size(FILE, "a.jpg", (20, 30), (30, 20))
    with pytest.raises(DataError, match=r"of 30x20 .* has 60x40 pixels. Scale the annotation"):
        check_size(FILE, "a.jpg", (20, 30), (40, 60))


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "is no JSON file of X .*export it again"), ("[1]", "holds no dictionary")],
)
def test_other_files_are_refused(tmp_path, text, message):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match=message):
        read_json(tmp_path / "a.json", "JSON file of X")
    with pytest.raises(DataError, match="b.json cannot be read: No such file"):
        read_json(tmp_path / "b.json", "JSON file of X")
