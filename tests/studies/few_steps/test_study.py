"""The study of few steps at a tiny size."""

import numpy as np
import pytest

from symmflow_jax.studies.few_steps import study as few_steps
from symmflow_jax.studies.few_steps.study import Findings

pytestmark = pytest.mark.usefixtures("standard_dtype_promotion")


def test_every_network_has_a_row(monkeypatch, tiny, row, check_row):
    monkeypatch.setattr(few_steps, "PASSES", (1, 2))
    variants = {name: few_steps.VARIANTS[name] for name in
                (few_steps.MAP, few_steps.NO_LOSS, few_steps.UNTRAINED)}  # fmt: skip
    monkeypatch.setattr(few_steps, "VARIANTS", variants)
    found = few_steps.study(seeds=(0, 1), changes=tiny, num_points=10)
    distances, accuracies = found.text.split("one-step accuracy |", maxsplit=1)
    for name in (few_steps.EULER_ROW, *variants):
        check_row(distances, name, 2)
    assert row(distances, few_steps.HEUN_ROW)[0].strip() == ""  # Half a step.
    for name in ("teacher", *variants):
        check_row(accuracies, name, 1)
    # Without training, a jump is a step of Euler.
    assert row(distances, few_steps.UNTRAINED) == row(distances, few_steps.EULER_ROW)
    assert "met: control: a span that is not trained is as bad as Euler" in found.text
    assert found.plot.dtype == np.uint8 and found.plot.std() > 1


def test_gates_tell_what_is_missed():
    def findings(one_pass, later, accuracy, forgotten):
        jumps = {1: one_pass, 2: 0.002, 4: 0.002, 8: later, 25: 0.5}
        euler = {1: 1.2, 2: 0.4, 4: 0.1, 8: 0.03, 25: 0.003}
        rows = {few_steps.EULER_ROW: euler, few_steps.MAP: jumps, few_steps.UNTRAINED: euler}
        return Findings(
            {name: {k: [v, v] for k, v in cells.items()} for name, cells in rows.items()},
            {"teacher": [0.74], few_steps.MAP: [accuracy], few_steps.NO_LOSS: [forgotten]},
            [-0.0005, 0.0005],
        )

    def missed(*values):
        return [line.startswith("MISSED") for line in few_steps.gates(findings(*values))]

    assert missed(0.004, 0.002, 0.735, 0.68) == [False] * 5
    assert missed(0.009, 0.002, 0.735, 0.68) == [True, False, False, False, False]
    assert missed(0.004, 0.005, 0.735, 0.68) == [False, True, False, False, False]
    assert missed(0.004, 0.002, 0.72, 0.68) == [False, False, True, False, False]
    assert missed(0.004, 0.002, 0.735, 0.739) == [False, False, False, False, True]
