"""What several metrics have found, joined."""

import numpy as np

from symmflow_jax.evaluation.findings import Confusion, Findings, merged, table_over_seeds
from symmflow_jax.evaluation.measurement import Measurement, Protocol, Scores
from symmflow_jax.metrics.calibration import RiskCoverage


def _protocol(seed: int = 0) -> Protocol:
    return Protocol(
        task="objective",
        dataset="shapes",
        split="test",
        image_size=(8, 8),
        crop="centre",
        weights="ema",
        train_step=3,
        seeds=(seed,),
    )


def _measurement(metric: str) -> Measurement:
    return Measurement(metric=metric, value=0.5, num_examples=4, protocol=_protocol())


def test_findings_are_joined_in_their_order():
    curve = RiskCoverage(np.array([1.0]), np.array([0.25]))
    first, second = (Confusion(np.eye(2), row, "classification") for row in ("euler 1", "euler 2"))
    found = merged(
        [
            Findings([_measurement("loss")]),
            Findings([_measurement("accuracy")], first, {"euler 1": curve}),
            Findings([], second, {"euler 2": curve}, {"euler 2": {}}),
        ]
    )
    assert [m.metric for m in found.table] == ["loss", "accuracy"]
    assert found.confusion is first
    assert list(found.risk_coverage) == ["euler 1", "euler 2"]
    assert list(found.rejection) == ["euler 2"]


def test_nothing_joined_is_nothing_found():
    found = merged(iter(()))
    assert found.table == [] and found.confusion is None and not found.risk_coverage


def test_repeats_are_averaged_one_kind_of_scores_after_the_other():
    repeats = [
        [
            Scores(values={metric: value}, num_examples=4, protocol=_protocol(seed))
            for metric, value in (("loss", 1.0 + seed), ("error", 3.0 - seed))
        ]
        for seed in (0, 1, 2)
    ]
    table = table_over_seeds(repeats)
    assert [(m.metric, m.value, m.spread) for m in table] == [
        ("loss", 2.0, 1.0),
        ("error", 2.0, 1.0),
    ]
    assert {m.protocol.seeds for m in table} == {(0, 1, 2)}
