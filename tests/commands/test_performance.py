"""The commands that plan, time and examine."""

import logging

import pytest

from symmflow_jax.commands import performance
from symmflow_jax.runtime.outputs import OutputError


def test_what_is_wrong_with_a_machine_is_a_status(called, flag_values, tmp_path):
    called("performance.doctor.doctor:examine", answer=["no network", "no memory"])
    with pytest.raises(SystemExit, match="2 of the checks above found what '!' marks"):
        performance.DOCTOR.run("experiment", tmp_path)
    called("performance.doctor.doctor:examine", answer=[])
    performance.DOCTOR.run("experiment", tmp_path)


def test_a_benchmark_is_shown_and_written(called, flag_values, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("symmflow_jax"), "propagate", True)
    caplog.set_level(logging.INFO)
    timed = called("performance.benchmark.command:benchmark", answer="| a table |")
    flag_values(output=str(tmp_path / "speed.md"), batch_sizes="8,16", only="speed")
    performance.BENCHMARK.run("experiment", tmp_path)
    assert timed.arguments == ("experiment", ["8", "16"], 5, "speed", "")
    assert "| a table |" in caplog.text
    assert (tmp_path / "speed.md").read_text() == "| a table |\n"
    with pytest.raises(OutputError, match="exists already. Give --overwrite"):
        performance.BENCHMARK.run("experiment", tmp_path)
