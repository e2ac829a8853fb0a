"""Paths in buckets behave as paths on disks, where buckets can."""

import pathlib
import pickle

import pytest

from symmflow_jax.runtime import files, outputs
from symmflow_jax.runtime.storage.faults import StorageError
from symmflow_jax.runtime.storage.place import as_path


def _use(folder: pathlib.Path) -> list:
    """What a folder without files answers, and then one with some."""
    seen: list = [folder.exists(), folder.is_dir(), list(folder.glob("*"))]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "b").mkdir(exist_ok=True)
    (folder / "b" / "c.txt").write_text("é\n", encoding="utf-8")
    (folder / "a.json").write_bytes(b"{}")
    with (folder / "d.txt").open("w", encoding="utf-8") as file:
        file.write("one\n")
        file.write("two\n")
    seen += [sorted(path.name for path in folder.iterdir())]
    seen += [sorted(str(path.relative_to(folder)) for path in folder.glob("*/*.txt"))]
    seen += [(folder / "b/c.txt").read_text(encoding="utf-8"), (folder / "d.txt").read_bytes()]
    seen += [(folder / "a.json").stat().st_size, (folder / "b").is_dir(), (folder / "b").is_file()]
    with (folder / "d.txt").open("rb") as file:
        file.seek(4)
        seen += [file.read(3)]
    (folder / "a.json").replace(folder / "e.json")
    (folder / "d.txt").unlink()
    (folder / "d.txt").unlink(missing_ok=True)
    for act in (
        lambda: (folder / "none").read_bytes(),
        lambda: (folder / "none").stat(),
        lambda: (folder / "none").unlink(),
        lambda: list((folder / "none").iterdir()),
    ):
        with pytest.raises(FileNotFoundError) as missing:
            act()
        seen += [missing.value.filename == str(folder / "none")]
    seen += [sorted(path.name for path in folder.iterdir()), folder.samefile(folder)]
    return [*seen, folder.samefile(folder / "b"), (folder / "b/c.txt").suffix, folder.parent.name]


def test_a_bucket_answers_as_a_disk(bucket, tmp_path):
    assert _use(as_path(bucket) / "runs" / "x") == _use(tmp_path / "runs" / "x")


def test_a_path_is_a_path(bucket):
    path = as_path(bucket) / "a"
    assert isinstance(path, pathlib.Path) and isinstance(path.with_suffix(".b"), type(path))
    assert pickle.loads(pickle.dumps(path)) == path == as_path(f"{bucket}/a")
    assert path.absolute() == path.resolve() == path and hash(path) == hash(as_path(str(path)))


def test_what_a_bucket_cannot_do_is_refused(bucket):
    path = as_path(bucket) / "a.txt"
    for act in (lambda: path.open("a"), lambda: path.chmod(0o600), lambda: path.symlink_to("b")):
        with pytest.raises(StorageError, match=str(path)):
            act()
    assert not path.exists()


def test_a_file_is_written_whole_or_not_at_all(bucket):
    path = as_path(bucket) / "a.txt"
    with pytest.raises(KeyError), outputs.writing_text(path) as file:
        file.write("half")
        raise KeyError
    with pytest.raises(KeyError), path.open("wb") as file:
        file.write(b"half")
        raise KeyError
    assert not path.exists()
    files.write_json(path, {"a": 1})
    assert files.sha256(path) == files.sha256(path) and '"a": 1' in path.read_text()


def test_outputs_are_checked_as_on_a_disk(bucket):
    folder = as_path(bucket)
    paths = [folder / name for name in ("a.txt", "b/c.txt")]
    outputs.check_outputs(paths)
    assert not folder.exists()
    paths[0].write_text("kept")
    with pytest.raises(outputs.OutputError, match=r"a.txt exists already \(1 of 2 files"):
        outputs.check_outputs(paths)
    outputs.check_outputs(paths, overwrite=True)
    with pytest.raises(outputs.OutputError, match="is an input of this command"):
        outputs.check_outputs(paths, inputs=[as_path(str(paths[0]))], overwrite=True)
    with pytest.raises(outputs.OutputError, match="is a file, not a folder"):
        outputs.check_writable(paths[0])
    assert [path.name for path in folder.iterdir()] == ["a.txt"]
