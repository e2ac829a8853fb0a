"""The study of guidance at a tiny size."""

import re

import numpy as np
import pytest

from symmflow_jax.studies import guidance

pytestmark = pytest.mark.usefixtures("standard_dtype_promotion")

_MEAN_AND_SPREAD = r"-?\d\.\d{4} ± \d\.\d{4}"


def test_every_training_has_a_table_of_weights_and_kinds(monkeypatch, tiny, row, check_row):
    monkeypatch.setattr(guidance, "WEIGHTS", (1.0, 2.0))
    monkeypatch.setattr(guidance, "NUM_STEPS", 2)
    monkeypatch.setattr(guidance, "UNCONDITIONAL_STEPS", (1, 2))
    found = guidance.study(seeds=(0, 1), changes=tiny, num_points=10, num_unconditional=30)
    tables = re.split("^## ", found.text, flags=re.MULTILINE)
    by_title = {table.splitlines()[0]: table for table in tables}
    for name in ("Under-trained", "Well trained"):
        for weight in ("1.0", "2.0"):
            check_row(by_title[name], weight, len(guidance.KINDS))
        # Without guidance there is nothing to project.
        plain, projected, *_ = row(by_title[name], "1.0")
        assert plain == projected
        assert len(set(row(by_title[name], "2.0"))) > 1
    check_row(by_title["Unconditional"], "well trained", 2)
    floor = re.search(rf"Two exact samples: ({_MEAN_AND_SPREAD})", found.text)
    assert floor and abs(float(floor[1].split("±")[0])) < 0.2
    assert found.text.count("the noise of two exact samples") == 4
    assert found.plot.dtype == np.uint8 and found.plot.std() > 1


def test_without_guidance_there_is_nothing_to_project():
    assert guidance._guidance(1.0, project=True) == guidance._guidance(1.0)
    assert guidance._guidance(2.0, project=True) != guidance._guidance(2.0)
    assert guidance._guidance(1.0, still=True) != guidance._guidance(1.0)


def test_exact_points_follow_their_seed_and_number():
    first = guidance._exact_of_classes(0, 5)
    np.testing.assert_array_equal(first, guidance._exact_of_classes(0, 5))
    assert first.shape == (8, 5, 16)
    for other in (guidance._exact_of_classes(0, 5, other=1), guidance._exact_of_classes(1, 5)):
        assert np.abs(first - other).min() > 0
    assert guidance._exact(0, 7).shape == (7, 16)


def test_points_are_compared_class_by_class():
    exact = guidance._exact_of_classes(0, 20)
    assert guidance._mean_distance(exact, exact) < guidance._mean_distance(exact[::-1], exact)
