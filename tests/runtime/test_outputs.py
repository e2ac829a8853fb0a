"""What exists is kept, inputs always, and a file is whole or not there."""

import os
import pathlib
import tempfile

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from symmflow_jax.runtime import outputs
from symmflow_jax.runtime.outputs import (
    OutputError,
    check_outputs,
    check_writable,
    distinct_names,
    file_name,
    write_arrays,
    writing,
    writing_text,
)


def _files(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_what_exists_is_kept_unless_told_otherwise(tmp_path):
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    check_outputs(paths)
    for path in paths[1:]:
        path.write_text("here before")
    before = _files(tmp_path)
    with pytest.raises(OutputError) as error:
        check_outputs(paths)
    assert str(error.value) == (
        f"{paths[1]} exists already (2 of 3 files to write do). Give --overwrite to replace what "
        "exists, or another --output."
    )
    check_outputs(paths, overwrite=True)
    assert _files(tmp_path) == before


def test_a_link_to_nothing_exists_too(tmp_path):
    (tmp_path / "a.png").symlink_to("nowhere")
    with pytest.raises(OutputError, match="exists already"):
        check_outputs([tmp_path / "a.png"])


@pytest.mark.parametrize("way", ["itself", "dots", "link", "folder link", "hard link"])
def test_inputs_are_kept_whatever_the_way_to_them(tmp_path, way):
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    photo = photos / "cat.png"
    photo.write_text("a photo")
    if way == "folder link":
        out.symlink_to(photos)
    else:
        out.mkdir()
    path = {
        "itself": photo,
        "dots": out / ".." / "photos" / "cat.png",
        "link": out / "cat.png",
        "folder link": out / "cat.png",
        "hard link": out / "cat.png",
    }[way]
    if way == "link":
        path.symlink_to(photo)
    if way == "hard link":
        path.hardlink_to(photo)
    with pytest.raises(OutputError, match=r"is an input of this command, and inputs are never"):
        check_outputs([out / "new.png", path], [photo], overwrite=True)


def test_a_folder_in_place_of_a_file_and_a_file_in_place_of_a_folder(tmp_path):
    (tmp_path / "labels.csv").mkdir()
    with pytest.raises(OutputError, match=r"labels\.csv is a folder, but a file of this name"):
        check_outputs([tmp_path / "labels.csv"], overwrite=True)
    (tmp_path / "masks").write_text("")
    with pytest.raises(OutputError, match=r"cannot be a folder to write to: .*masks is a file"):
        check_outputs([tmp_path / "masks" / "deep" / "cat.png"], overwrite=True)


def test_a_place_that_cannot_be_written_is_known_before(tmp_path, monkeypatch):
    with pytest.raises(OutputError, match=r"/proc/masks cannot be written: .* Give another --out"):
        check_outputs([pathlib.Path("/proc/masks/cat.png")])

    def refuse(dir):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(OutputError) as error:
        check_writable(tmp_path / "new" / "folder", "another --workdir")
    assert str(error.value) == (
        f"{tmp_path}/new/folder cannot be written: no file can be made in {tmp_path} (Read-only "
        "file system). Give another --workdir."
    )


def test_checks_leave_nothing_behind(tmp_path):
    check_outputs([tmp_path / "new" / "folder" / "a.png"])
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_too_long_is_one_line():
    with pytest.raises(OutputError, match=r"could not be written: File name too long"):
        check_outputs([pathlib.Path("x" * 300)])


def test_a_file_comes_whole_and_with_the_usual_rights(tmp_path):
    path = tmp_path / "new" / ("x" * 251 + ".png")
    with writing(path) as file:
        file.write(b"some")
        assert not path.exists()
    assert _files(path.parent) == {path.name: b"some"}
    (tmp_path / "usual").touch()
    assert path.stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_what_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyError), writing(path) as file:
        file.write(b"half")
        raise KeyError
    assert _files(tmp_path) == {"a.txt": b"old"}


@pytest.mark.parametrize("kind", ["bytes", "text", "arrays"])
def test_a_full_disk_is_one_line_and_leaves_no_half_file(tmp_path, kind, capfd, full_disk):
    path = tmp_path / "a.file"
    with full_disk(), pytest.raises(OutputError) as error:
        if kind == "arrays":
            write_arrays(path, a=np.arange(100))
        elif kind == "bytes":
            with writing(path) as file:
                file.write(b"more than there is space for")
        else:
            with writing_text(path) as file:
                file.write("more than there is space for")
    assert str(error.value) == (
        f"{path} could not be written: File too large. Free space there, or give another --output."
    )
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr().err == ""


def test_text_holds_names_of_other_encodings(tmp_path):
    name = os.fsdecode(b"caf\xe9 \xc3\xa9")
    with writing_text(tmp_path / "a.txt") as file:
        file.write(f"{name}\n")
    assert (tmp_path / "a.txt").read_text("utf-8") == "caf\\udce9 é\n"


def test_names_stay_unless_they_clash():
    names = [("dog", "dog_png"), ("cat", "cat_jpg"), ("cat", "cat_png")]
    assert distinct_names(names, [".png"]) == ["dog", "cat_jpg", "cat_png"]
    # What looks like the output of another one.
    names = [("cat", "cat_png"), ("cat_overlay", "cat_overlay_png")]
    assert distinct_names(names, [".png", "_overlay.png"]) == ["cat_png", "cat_overlay_png"]
    # Cases, and the two ways to write an accent, are the same on some systems.
    assert distinct_names([("Cat", "Cat_png"), ("cat", "cat_png")], [""]) == [
        "Cat_png",
        "cat_png-2",
    ]
    assert distinct_names([("é", "a"), ("e\u0301", "b")], [""]) == ["a", "b"]
    assert distinct_names([], [""]) == []


@given(
    st.lists(st.tuples(*[st.text("aA_-2", min_size=1, max_size=3)] * 2), max_size=8),
    st.lists(st.sampled_from([".png", "_a.png", "_2.png", "-2.png", "-3.png"]), min_size=1),
)
def test_no_two_outputs_share_a_file(names, endings):
    chosen = distinct_names(names, endings)
    assert len(chosen) == len(names)
    owned = [outputs._files(name, endings) for name in chosen]
    assert sum(map(len, owned)) == len(set().union(*owned))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("car", "car"),
        ("sky/other", "sky_other"),
        ("../up", "_up"),
        ("a\nb:c", "a_b_c"),
        ("Straße", "Straße"),
        ("...", "_"),
        ("x" * 300, "x" * 80),
    ],
)
def test_class_names_become_names_of_files(text, name):
    assert file_name(text) == name
