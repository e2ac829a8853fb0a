"""Files that are written in one piece or not at all."""

import json
import math
import os
import pathlib

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.runtime import files
from symmflow_jax.runtime.outputs import OutputError


def test_json_is_replaced_in_one_piece(tmp_path):
    path = tmp_path / "value.json"
    for value in ({"a": 1, "b": [None, 0.5]}, [1, 2]):
        files.write_json(path, value)
        assert json.loads(path.read_text()) == value
    assert path.read_text().endswith("]\n")
    assert [p.name for p in tmp_path.iterdir()] == ["value.json"]


def test_the_sha_256_is_that_of_the_content(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    # The example of FIPS 180-4.
    assert files.sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(FileNotFoundError):
        files.sha256(tmp_path / "b")


def test_what_cannot_be_written_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "value.json"
    files.write_json(path, {"a": 1})
    with pytest.raises(TypeError, match="not JSON serializable"):
        files.write_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}


@pytest.mark.parametrize("name", ["report.md", "metrics.json", "plot.png"])
def test_a_full_disk_is_one_line_and_leaves_the_file_as_it_was(tmp_path, name, full_disk):
    path = tmp_path / name
    path.write_text("old")
    write = {
        "report.md": lambda: files.write_text(path, "text"),
        "metrics.json": lambda: files.write_json(path, [1]),
        "plot.png": lambda: files.write_image(path, np.zeros((4, 4, 3), np.uint8)),
    }[name]
    with full_disk(), pytest.raises(OutputError) as error:
        write()
    assert str(error.value) == (
        f"{path} could not be written: File too large. Free space there, or give another --output "
        "or --workdir."
    )
    assert [p.name for p in tmp_path.iterdir()] == [name] and path.read_text() == "old"


def test_text_is_written_in_utf_8(tmp_path):
    files.write_text(tmp_path / "new" / "a.md", "Straße, 天空\n")
    assert (tmp_path / "new" / "a.md").read_bytes() == "Straße, 天空\n".encode()


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_pictures_survive_their_files(tmp_path, channels, mode):
    path = tmp_path / "a" / "b" / "picture.png"
    image = np.random.default_rng(0).integers(256, size=(4, 6, channels), dtype=np.uint8)
    files.write_image(path, image)
    with Image.open(path) as picture:
        assert (picture.mode, picture.size) == (mode, (6, 4))
        np.testing.assert_array_equal(np.asarray(picture).reshape(image.shape), image)


def _refuse(name: str) -> float:
    raise AssertionError(f"{name} is no JSON")


def test_json_has_no_numbers_that_others_cannot_read(tmp_path):
    path = tmp_path / "value.json"
    files.write_json(path, {"a": [math.nan, (math.inf, 1.5)], "b": np.float64("-inf"), "c": True})
    read = json.loads(path.read_bytes(), parse_constant=_refuse)
    assert read == {"a": [None, [None, 1.5]], "b": None, "c": True}


def test_text_is_utf_8_and_bytes_of_no_text_are_escaped(tmp_path):
    path = tmp_path / "report.md"
    files.write_text(path, "Straße 木 gr\udcf6n\n")
    assert path.read_bytes() == "Straße 木 gr\\udcf6n\n".encode()
    files.write_json(tmp_path / "value.json", "gr\udcf6n")
    assert json.loads((tmp_path / "value.json").read_bytes()) == "gr\udcf6n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.md", "value.json"]


def test_who_reads_a_pipe_or_a_device_may_wait(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_text("")
    assert files.waits(tmp_path / "pipe") and files.waits(pathlib.Path("/dev/null"))
    assert not any(files.waits(path) for path in (tmp_path, tmp_path / "file", tmp_path / "none"))
