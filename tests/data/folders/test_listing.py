"""What of a folder is read, and what is named because it is not."""

import os
import pathlib

import pytest

from symmflow_jax.data.folders import listing
from symmflow_jax.data.folders.listing import list_pictures, walk
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.errors import shown


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_pictures_at_the_top_are_preferred_and_the_rest_is_counted(tmp_path):
    touch(tmp_path, "b.PNG", "a.tif", "notes.txt", "x.txt", "y.csv", "old/c.png", "new/d/e.jpg")
    found = list_pictures(tmp_path)
    assert list(found.pictures) == ["a", "b"]
    assert found.unused == (
        "3 files of other kinds (.txt 2, .csv 1), 2 pictures in the sub-folders new, old"
    )


def test_pictures_in_sub_folders_only_are_all_read(tmp_path):
    touch(tmp_path, "bonn/1.png", "aachen/1.png", "aachen/deep/2.png")
    found = list_pictures(tmp_path)
    assert sorted(found.pictures) == ["aachen/1", "aachen/deep/2", "bonn/1"]
    assert found.unused == ""


def test_what_systems_leave_behind_is_passed_over_everywhere(tmp_path):
    touch(tmp_path, "a.png", "._a.png", ".DS_Store", "Thumbs.db", "desktop.ini", ".hidden/b.png",
          "__MACOSX/a.png", "@eaDir/a.png")  # fmt: skip
    found = list_pictures(tmp_path)
    assert list(found.pictures) == ["a"] and found.unused == ""


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("a.gif", ".gif: save them as .png"),
        ("a.HEIC", ".heic: save them as .png"),
        ("a.npy", "PIL.Image.fromarray(numpy.load(file)"),
        ("a.mat", "scipy.io.loadmat(file)"),
        ("a.json", "draw polygons into a .png of ids"),
        ("a.nii.gz", ".nii.gz: save the slices as .png"),
        ("a.zip", ".zip: unpack them"),
    ],
)
def test_kinds_that_people_have_come_with_their_remedy(tmp_path, name, remedy):
    touch(tmp_path, name)
    with pytest.raises(DataError) as error:
        list_pictures(tmp_path)
    assert "contains no images (.png" in str(error.value)
    assert "but 1 file of another kind" in str(error.value)
    assert remedy in str(error.value)


def test_files_of_one_name_are_refused(tmp_path):
    touch(tmp_path, "a.png", "a.tiff")
    with pytest.raises(DataError, match=r"a.png and a.tiff have the same name; remove one"):
        list_pictures(tmp_path)


def test_one_name_in_two_unicode_forms_is_refused(tmp_path):
    touch(tmp_path, "B\u00e4ume.png", "Ba\u0308ume.png")
    with pytest.raises(DataError, match=r"have the same name \(in two Unicode forms"):
        list_pictures(tmp_path)


def test_a_folder_apart_is_left_out(tmp_path):
    touch(tmp_path, "a/1.png", "masks/1.png")
    assert list(list_pictures(tmp_path, (tmp_path / "masks",)).pictures) == ["a/1"]


def test_circles_of_links_end(tmp_path):
    touch(tmp_path, "real/a.png")
    (tmp_path / "real" / "again").symlink_to(tmp_path)
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    assert len(list(walk(tmp_path))) == 1


def test_folders_that_cannot_be_read_are_named(tmp_path, monkeypatch):
    touch(tmp_path, "closed/a.png")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match=r"closed cannot be read \(Permission denied\)"):
        list_pictures(tmp_path)
    touch(tmp_path, "b.png")
    assert list(list_pictures(tmp_path).pictures) == ["b"]


def test_names_that_are_no_unicode_are_listed_sorted_and_shown(tmp_path):
    names = [b"\xff.png", b"a\nb.png", b"c.png"]
    for name in names:
        pathlib.Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).touch()
    found = list_pictures(tmp_path)
    assert len(found.pictures) == 3
    texts = [shown(path.name) for path in found.pictures.values()]
    assert sorted(texts) == [r"\xff.png", r"a\nb.png", "c.png"]
    "".join(texts).encode("utf-8")


def test_long_lists_are_shortened():
    assert listing.shorten("abc") == "a, b, c"
    assert listing.shorten("abcdefg") == "a, b, c, d, e, ..."
    assert listing.counted(1, "pair") == "1 pair" and listing.counted(2, "pair") == "2 pairs"
