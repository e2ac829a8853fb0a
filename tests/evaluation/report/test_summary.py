"""The few scores that a training ends with on the terminal."""

import math

from symmflow_jax.evaluation.report import summary


def test_the_scores_that_matter_are_a_small_aligned_table(table, measurement):
    generation = {"task": "generation", "num_steps": 25, "scored_size": None}
    more = [
        measurement({"num_steps": 5}, nfe=5.0, value=0.7),
        measurement(metric="aurc", value=0.1),
        measurement(generation, nfe=25.0, metric="agreement_miou", value=0.9),
        measurement(generation, nfe=25.0, metric="agreement_pixel_accuracy", value=0.95),
        measurement(metric="iou", class_name="sky"),
        measurement(
            {"task": "objective", "solver": None, "num_steps": None}, nfe=None, metric="loss_image"
        ),
    ]
    assert summary.as_table([*table, *more]).splitlines() == [
        "score           solver, steps  value",
        "miou            euler 1        0.5000",
        "miou            dopri5         0.6500",
        "miou            euler 5        0.7000  best",
        "loss                           0.5000",
        "agreement miou  euler 25       0.9000",
    ]


def test_a_single_row_is_not_called_the_best(measurement):
    assert "best" not in summary.as_table([measurement()])


def test_a_score_that_is_no_number_is_not_the_best(measurement):
    rows = [measurement(value=math.nan), measurement({"num_steps": 2}, nfe=2.0, value=0.25)]
    lines = summary.as_table(rows).splitlines()
    assert lines[1].endswith("–") and lines[2].endswith("0.2500  best")


def test_scores_of_several_seeds_have_their_spread(measurement):
    assert "0.5000 ± 0.0100" in summary.as_table([measurement(spread=0.01)])


def test_a_quick_evaluation_is_one_line(table):
    quick = [m for m in table if m.protocol.solver in ("euler", None)]
    assert summary.in_one_line(quick) == "miou 0.5000 (euler 1)  loss 0.5000"
