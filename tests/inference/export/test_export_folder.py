"""The folder of an export."""

import json

import numpy as np
import pytest

from symmflow_jax.inference.export import export_folder
from symmflow_jax.runtime.outputs import OutputError


def test_another_export_is_kept_or_replaced_as_a_whole(tmp_path):
    folder = tmp_path / "out"
    export_folder.write(folder, {"a.bin": b"old", "old.npz": {"x": np.ones(2)}}, {"step": 1})
    about = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    assert about == {"step": 1, "files": {"a.bin": 3, "old.npz": about["files"]["old.npz"]}}
    (folder / "mine.txt").write_text("of the user")
    for attempt in (export_folder.check, lambda f: export_folder.write(f, {"b": b""}, {})):
        with pytest.raises(OutputError, match=r"holds another export .*Give --overwrite"):
            attempt(folder)
    export_folder.write(folder, {"a.bin": b"new"}, {"step": 2}, overwrite=True)
    assert sorted(p.name for p in folder.iterdir()) == ["a.bin", "export.json", "mine.txt"]
    assert (folder / "a.bin").read_bytes() == b"new"


def test_other_files_are_kept(tmp_path):
    (tmp_path / "README.md").write_text("of the user")
    with pytest.raises(OutputError, match=r"README\.md exists already"):
        export_folder.write(tmp_path, {"README.md": b"ours"}, {})
    with pytest.raises(OutputError, match="README.md is a file, but an export is a folder"):
        export_folder.check(tmp_path / "README.md", overwrite=True)
    assert (tmp_path / "README.md").read_text() == "of the user"


def test_names_in_a_damaged_description_lead_nowhere(tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("kept")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "export.json").write_text('{"files": {"../outside": 1, "gone": 2}}')
    export_folder.write(folder, {"a": b"1"}, {}, overwrite=True)
    assert outside.exists()


def test_an_export_that_is_not_complete_has_no_description(tmp_path, full_disk):
    with full_disk(), pytest.raises(OutputError):
        export_folder.write(tmp_path, {"a": b"1"}, {})
    assert not (tmp_path / "export.json").exists()
