"""What a command reads of a folder, and what it names."""

import os
import pathlib

import numpy as np
import pytest

from symmflow_jax.data.source import DataError
from symmflow_jax.inference.files.inputs import Unreadable, image_paths
from symmflow_jax.inference.files.made import Made, write_picture


def test_the_pictures_of_a_folder_come_in_the_order_of_their_names(tmp_path):
    for name in ("c.png", "a.JPG", "b.jpeg", "notes.txt", "a.npy"):
        (tmp_path / name).touch()
    names = [path.name for path in image_paths(str(tmp_path))]
    assert names == ["a.JPG", "b.jpeg", "c.png"]


def test_what_is_passed_over_is_counted_and_named(tmp_path, log):
    for name in ("a.png", "._a.png", ".DS_Store", "Thumbs.db", "scan.pcx", "b.PNG"):
        (tmp_path / name).write_bytes(b"junk")
    (tmp_path / "day1").mkdir()
    (tmp_path / "day1" / "c.png").touch()
    assert [path.name for path in image_paths(str(tmp_path))] == ["a.png", "b.PNG"]
    assert log.messages == [
        f"Reading 2 images in {tmp_path}; passed over hidden files: 2 (.DS_Store, ._a.png), other "
        "files: 1 (Thumbs.db), sub-folders (give each as --input): 1 (day1), pictures of other "
        "formats (convert them to PNG): 1 (scan.pcx)."
    ]
    with pytest.raises(DataError, match=r"It holds hidden files: 1 \(\._c\.png\)\."):
        (tmp_path / "day1" / "c.png").rename(tmp_path / "day1" / "._c.png")
        image_paths(str(tmp_path / "day1"))


@pytest.mark.skipif(os.name != "posix", reason="names are text there")
def test_names_of_other_encodings_are_read(tmp_path, log):
    (tmp_path / os.fsdecode(b"caf\xe9.png")).touch()
    (tmp_path / os.fsdecode(b"\xe9.txt")).touch()
    assert len(image_paths(str(tmp_path))) == 1
    assert r"other files: 1 (\xe9.txt)" in log.text


def test_what_a_command_made_is_no_input_of_the_next(tmp_path, log):
    pixels = np.zeros((4, 4), np.uint8)
    (tmp_path / "photo.png").touch()
    for made in Made:
        write_picture(tmp_path / f"{made.value}.png", pixels, made)

    def read(made: Made) -> list[str]:
        return [path.name for path in image_paths(str(tmp_path), made)]

    assert read(Made.IMAGE) == ["image.png", "photo.png"]
    assert "files that show the mask of an earlier command: 1 (mask.png)" in log.text
    assert read(Made.MASK) == ["mask.png", "photo.png"]
    with pytest.raises(DataError, match=r"overlay\.png shows the overlay of an earlier command"):
        image_paths(str(tmp_path / "overlay.png"))


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


def test_inputs_that_cannot_be_read_are_named_at_the_end(tmp_path):
    def read(path: pathlib.Path) -> str:
        if path.suffix != ".png":
            raise DataError(f"{path} is broken.")
        return path.stem

    paths = [pathlib.Path(name) for name in ("a.png", "b.jpg", "c.png", "d.jpg")]
    unreadable = Unreadable(4)
    assert unreadable.read(paths, read) == ["a", "c"]
    with pytest.raises(DataError) as error:
        unreadable.raise_if_any(tmp_path)
    assert str(error.value) == (
        f"2 of 4 inputs could not be read. What was made of the others is in {tmp_path}. The "
        "first: b.jpg is broken."
    )
    none = Unreadable(2)
    none.read(paths[::2], read)
    none.raise_if_any(tmp_path)
