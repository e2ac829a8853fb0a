"""The report of the doctor."""

import logging

import pytest

from symmflow_jax.performance.doctor.checks import Finding
from symmflow_jax.performance.doctor.doctor import examine
from symmflow_jax.runtime.cluster import session


@pytest.fixture
def log(monkeypatch, caplog):
    monkeypatch.setattr(logging.getLogger("symmflow_jax"), "propagate", True)
    caplog.set_level(logging.INFO)
    return caplog


def test_each_check_is_told_and_what_is_wrong_marked(tiny_experiment, tmp_path, log):
    def breaks(subject):
        raise OSError("no such device")

    checks = {
        "well": lambda subject: Finding(("a line",)),
        "ill": lambda subject: Finding(("seen",), "too small; take a larger one."),
        "broken": breaks,
    }
    problems = examine(tiny_experiment(), tmp_path, checks)
    assert problems == ["ill: too small; take a larger one.", "broken: no such device"]
    assert log.messages == [
        "well: a line",
        "ill: seen",
        "! ill: too small; take a larger one.",
        "! broken: no such device",
    ]


def test_the_process_of_a_problem_is_named(tiny_experiment, tmp_path, monkeypatch):
    monkeypatch.setattr(session, "exchange", lambda name, own: ["", own, ""])
    checks = {"disk": lambda subject: Finding((), "full")}
    assert examine(tiny_experiment(), tmp_path, checks) == ["disk: process 1: full"]
