"""A report replaces one on the same data, in the folder of its run, and nothing else."""

import pytest

from symmflow_jax.evaluation.report.place import check_place
from symmflow_jax.runtime import files, outputs
from symmflow_jax.runtime.outputs import OutputError


@pytest.fixture
def run(tmp_path, measurement):
    """The folder of an evaluated run."""
    folder = tmp_path / "run"
    files.write_json(folder / "metrics.json", [measurement().to_json()])
    return folder


def test_the_same_data_may_be_measured_again(run, tiny_experiment):
    check_place(run, run, tiny_experiment())
    check_place(run.parent / "." / "run", run, tiny_experiment())


def test_a_report_on_other_data_is_kept(run, tiny_experiment):
    other = tiny_experiment(**{"data.eval_split": "train"})
    with pytest.raises(OutputError) as error:
        check_place(run, run, other)
    assert str(error.value) == (
        f"{run}/metrics.json is of shapes (test), and this evaluation is of shapes (train, data "
        f"{other.evaluation_fingerprint.digest[:8]}). Give --output, a folder for this report, or "
        "--overwrite to replace that one."
    )
    check_place(run, run, other, overwrite=True)
    check_place(run.parent / "elsewhere", run, other)


def test_the_data_is_told_by_its_content(run, tiny_experiment, measurement):
    experiment = tiny_experiment()
    digest = experiment.evaluation_fingerprint.digest
    for known, fits in ((digest, True), ("0123456789", False)):
        files.write_json(run / "metrics.json", [measurement({"data_digest": known}).to_json()])
        if fits:
            check_place(run, run, experiment)
        else:
            with pytest.raises(OutputError, match=r"is of shapes \(test, data 01234567\), and"):
                check_place(run, run, experiment)


@pytest.mark.parametrize("text", ["", "{}", "[3]", '[{"metric": 1}]', '"text"'])
def test_a_file_without_measurements_is_named(run, tiny_experiment, text):
    (run / "metrics.json").write_text(text)
    if text == "{}":
        check_place(run, run, tiny_experiment())
        return
    with pytest.raises(OutputError, match=r"metrics\.json holds no measurements .* Remove it"):
        check_place(run, run, tiny_experiment())


def test_nothing_is_replaced_elsewhere(run, tmp_path, tiny_experiment):
    (tmp_path / "out" / "pictures").mkdir(parents=True)
    (tmp_path / "out" / "pictures" / "mine.png").touch()
    with pytest.raises(OutputError, match=r"out/pictures/mine\.png exists already"):
        check_place(tmp_path / "out", run, tiny_experiment())
    check_place(tmp_path / "out", run, tiny_experiment(), overwrite=True)


def test_a_run_that_cannot_be_written_needs_an_output(run, tmp_path, tiny_experiment, monkeypatch):
    def refuse(dir):
        if run in (dir, *dir.parents):
            raise OSError(30, "Read-only file system")

    original = outputs.tempfile.TemporaryFile
    monkeypatch.setattr(
        outputs.tempfile, "TemporaryFile", lambda dir: refuse(dir) or original(dir=dir)
    )
    with pytest.raises(OutputError) as error:
        check_place(run, run, tiny_experiment())
    assert str(error.value) == (
        f"{run} cannot be written: no file can be made in {run} (Read-only file system). Give "
        "--output, a folder for this report."
    )
    check_place(tmp_path / "out", run, tiny_experiment())
