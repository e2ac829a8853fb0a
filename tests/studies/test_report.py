import numpy as np
import pytest

from symmflow_jax.runtime.outputs import OutputError
from symmflow_jax.studies import report


def test_a_report_is_replaced_only_on_request(tmp_path):
    def study() -> report.Report:
        return report.Report("# Toys", np.zeros((4, 4, 3), np.uint8))

    text = report.study_and_write("toys", study, tmp_path)
    assert text == "# Toys\n\nCPU time: 0.0 minutes."
    assert (tmp_path / "toys.md").read_text() == f"{text}\n\n![toys](toys.png)\n"
    (tmp_path / "toys.md").write_text("mine")
    with pytest.raises(OutputError, match=r"toys\.md exists already \(2 of 2 .* another --workdir"):
        report.study_and_write("toys", study, tmp_path)
    assert (tmp_path / "toys.md").read_text() == "mine"
    report.study_and_write("toys", study, tmp_path, overwrite=True)
    assert (tmp_path / "toys.md").read_text() != "mine"


def test_tables_give_means_and_deviations():
    rows = {"tied": {1: [1.0, 3.0], 50: [0.5]}, "free": {50: [0.25, 0.25, 0.25]}}
    assert report.table_over_seeds("clock", rows, (1, 50)).splitlines() == [
        "| clock | 1 | 50 |",
        "| --- | --- | --- |",
        "| tied | 2.0000 ± 1.4142 | 0.5000 |",
        "| free |  | 0.2500 ± 0.0000 |",
    ]
