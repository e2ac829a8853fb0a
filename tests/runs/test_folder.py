"""What is written beside the checkpoints."""

import logging
import subprocess

import pytest

from symmflow_jax.runs import folder
from symmflow_jax.runs.folder import Claim, History


def test_history_goes_on_from_the_checkpoint(tmp_path):
    first = History(tmp_path, step=0)
    for step in (1, 2, 3):
        first.append(step, {"loss": 1.0 / step})
    with (tmp_path / "history.jsonl").open("a") as file:
        file.write('{"step": 4, "lo')  # Cut off in writing.
    History(tmp_path, step=2).append(3, {"loss": 7.0})
    history = folder.read_history(tmp_path)
    assert [(line["step"], line["loss"]) for line in history] == [(1, 1.0), (2, 0.5), (3, 7.0)]


def test_a_damaged_line_is_left_out_and_named(tmp_path, caplog):
    path = tmp_path / "history.jsonl"
    good = ['{"step": 1, "loss": 1.0}', '{"step": 4, "loss": 0.25}']
    damaged = ['{"step": 2, "lo', "[3]", '{"loss": 1.0}', '{"step": 3, "loss": "low"}', "\x00"]
    path.write_text("\n".join([good[0], *damaged, good[1]]) + "\n")
    with caplog.at_level(logging.WARNING):
        assert [line["step"] for line in folder.read_history(tmp_path)] == [1, 4]
    assert f"{path}: 5 damaged lines are left out (the first is line 2)." in caplog.text
    # What is not understood stays in the file.
    History(tmp_path, step=2)
    assert path.read_text().splitlines() == [good[0], *damaged]


def test_damaged_lines_of_skipped_examples_are_left_out(tmp_path, caplog):
    (tmp_path / folder.SKIPPED).write_bytes(b'{"error": "cut off"}\n\xff\n{"index": 1}\n')
    with caplog.at_level(logging.WARNING):
        assert folder.read_skipped(tmp_path) == ["cut off"]
    assert "skipped.jsonl: 2 damaged lines" in caplog.text


def test_a_folder_is_for_one_training_at_a_time(tmp_path):
    workdir = tmp_path / "run"
    with Claim(workdir) as claim:
        claim.take()
        with pytest.raises(ValueError, match="Another training is writing to .*run.*--workdir"):
            Claim(workdir).__enter__()
    with pytest.raises(OSError, match="full"), Claim(workdir):
        raise OSError("full")
    with Claim(workdir):  # It is free again, also after an error.
        pass


def test_errors_of_other_files_are_no_refusals(tmp_path):
    assert folder.is_refusal(OSError(28, "full"), tmp_path)
    assert folder.is_refusal(OSError(13, "denied", str(tmp_path / "report.md")), tmp_path)
    assert not folder.is_refusal(OSError(5, "broken", "/data/image.png"), tmp_path)
    assert not folder.is_refusal(ConnectionResetError(), tmp_path)


def test_a_claim_makes_nothing_before_it_is_taken(tmp_path):
    with Claim(tmp_path / "deep" / "run") as claim:
        assert list(tmp_path.iterdir()) == []
        claim.take()
        assert (tmp_path / "deep" / "run").is_dir()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("file", r"file cannot be a folder to write to: .*file is a file\. Give another --workdir"),
        (
            "file/run",
            r"file/run cannot be a folder to write to: .*file is a file\.",
        ),
        (
            "/proc/run",
            r"/proc/run cannot be written: no file can be made in /proc .*--workdir",
        ),
    ],
)
def test_places_that_cannot_be_written_are_told_in_one_line(tmp_path, path, message):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=message) as error, Claim(tmp_path / path) as claim:
        claim.take()
    assert "\n" not in str(error.value)


def test_a_file_system_for_reading_alone_is_told_in_one_line(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "ro,size=8k", "none", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("This user may not mount a file system.")
    try:
        message = r"run cannot be written: .*Read-only file system.*Give another --workdir"
        with pytest.raises(ValueError, match=message), Claim(disk / "deep" / "run"):
            raise AssertionError("unreachable: it cannot be written")
    finally:
        subprocess.run(["umount", str(disk)], check=True)
