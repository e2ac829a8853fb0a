"""The study of encodings at a tiny size."""

import numpy as np
import pytest

from symmflow_jax.data.sources.synthetic import split_posterior
from symmflow_jax.studies import encodings

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]


def test_every_encoding_stands_beside_the_best_answers(monkeypatch, tiny, row, check_row):
    monkeypatch.setattr(encodings, "ENCODINGS", ("colour", "onehot"))
    found = encodings.study(seeds=(0, 1), changes=tiny | {"data.eval_size": 5_000})
    for encoding in encodings.ENCODINGS:
        for clock in encodings.CLOCKS:
            check_row(found.text, f"{encoding}, {clock}", 4)
    accuracy, calibration, distance, impossible = row(found.text, "Bayes")
    best = split_posterior.BEST_ACCURACY
    assert float(accuracy.split("±")[0]) == pytest.approx(best, abs=0.02)
    assert float(calibration.split("±")[0]) < 0.03
    assert distance == impossible == " 0.0000 ± 0.0000 "
    assert "- Bayes" not in found.text
    assert found.plot.dtype == np.uint8 and found.plot.std() > 1


@pytest.mark.parametrize(
    ("accuracy", "error", "expected"),
    [
        (0.785, 0.01, "met, 0.0150 behind Bayes, calibration error 0.0100"),
        (0.77, 0.01, "missed, 0.0300 behind Bayes, calibration error 0.0100"),
        (0.8, 0.04, "missed, 0.0000 behind Bayes, calibration error 0.0400"),
    ],
)
def test_a_gate_asks_for_accuracy_and_calibration(accuracy, error, expected):
    best = {"accuracy": [0.75, 0.85], "calibration error": [0.0, 0.0]}
    found = {"accuracy": [accuracy, accuracy], "calibration error": [error, error]}
    assert encodings._gate(found, best) == expected
