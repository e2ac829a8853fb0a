"""The study of likelihood at a tiny size."""

import re

import numpy as np
import pytest

from symmflow_jax.flow.solvers import fixed_steps
from symmflow_jax.studies.likelihood import study

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]

_FEW = {
    "rk4, 10 steps": fixed_steps.rk4(10),
    "euler, 25 steps": fixed_steps.euler(25),
}


def test_what_is_exact_passes_its_gates_at_any_size(monkeypatch, tiny, check_row):
    monkeypatch.setattr(study, "SOLVERS", _FEW)
    monkeypatch.setattr(study, "NUM_DRAWS", 2)
    few = {name: study.TRAININGS[name] for name in ("untrained", "well trained")}
    monkeypatch.setattr(study, "TRAININGS", few)
    found = study.study(seeds=(0, 1), changes=tiny, num_points=32)
    for name in _FEW:
        check_row(found.text, name, 2)
    check_row(found.text, "well trained", 2)
    for gate in (
        "met: rk4 in 10 steps within 0.002",
        "met: control, euler in 25 steps off by more than 0.1",
        "met: one Gaussian in closed form",
        "met: one probe unbiased",
        "met: levels that are equally probable have 8 bits: 8.0000",
        "missed: the trained network 0.2 to 0.8 nats",
    ):
        assert f"- {gate}" in found.text
    assert "`train.batch_size=16`" in found.text
    assert found.plot.dtype == np.uint8 and found.plot.std() > 1


def test_a_gate_that_is_missed_says_so():
    findings = study.Findings(
        solvers={
            "rk4, 10 steps": {"mean error": [0.003], "largest error": [0.003]},
            "euler, 25 steps": {"mean error": [0.05], "largest error": [0.1]},
        },
        closed_form=[0.1],
        probes={"mean error": [0.5], "in standard errors": [-4.0], "spread of a point": [1.0]},
        draws=[0.1],
        uniform_bits=7.99,
        excess={name: {"given the class": [v]} for name, v in (("a", 3.0), ("b", 4.0), ("c", 0.9))},
    )
    assert len(re.findall("^- missed: ", study.gates(findings), re.MULTILINE)) == 8
