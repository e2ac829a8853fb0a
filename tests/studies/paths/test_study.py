"""The study of probability paths at a tiny size."""

import pytest

from symmflow_jax.flow.solvers import fixed_steps
from symmflow_jax.studies.paths import study

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]


def test_every_path_has_a_row_of_each_table(monkeypatch, tiny, row, check_row):
    monkeypatch.setattr(study, "PASSES", (4, 8))
    monkeypatch.setattr(study, "TOLERANCES", (1e-2,))
    # In place of the adaptive solver, which takes long to compile.
    monkeypatch.setattr(study, "DormandPrince", lambda tolerance: fixed_steps.rk4(2))
    found = study.study(seeds=(0, 1), changes=tiny, num_samples=20)
    tables = found.text.split("## ")
    for name in study.VARIANTS:
        passes, *_ = (float(cell.split("±")[0]) for cell in row(tables[1], name))
        assert passes == 8
        check_row(tables[2], name, 2)
        check_row(tables[3], name, 2)
    assert sum(found.text.count(f"- {word}: ") for word in ("ahead", "behind", "even")) == 6
    assert "missed: control" in found.text  # None of them has learned anything.
    assert "`train.path=diffusion`" in found.text and found.plot.std() > 1


def _findings(passes: float, error: float, distance: float) -> study.VariantFindings:
    names = [f"{number} passes" for number in study.PASSES]
    adaptive = {"passes at 1e-05": [passes], "energy distance": [distance], "nats a point": [1.0]}
    return study.VariantFindings(
        adaptive, {name: [distance] for name in names}, {name: [error] for name in names}, {}
    )


def test_the_better_path_is_ahead_whichever_it_is():
    figures = (80, 0.2, 0.01), (120, 0.1, 0.02), (7, 1, 1)
    found = dict(zip(study.VARIANTS, (_findings(*f) for f in figures), strict=True))
    text = study.comparisons(found)
    assert "- ahead: passes at 1e-05 of the adaptive solver, 80.0000 against 120.0000" in text
    assert "- behind: error in 8 passes, 0.2000 against 0.1000" in text
    assert "- even: nats a point, 1.0000 against 1.0000" in text
    assert "- met: control" in text


def test_what_seeds_do_not_tell_apart_is_even():
    assert study._standing([1.0, 1.2, 0.8], [1.3, 1.5, 1.1]) == "ahead"
    assert study._standing([1.0, 1.2, 0.8], [0.9, 1.3, 0.85]) == "even"
    assert study._standing([1.0, 1.0], [0.5, 0.6]) == "behind"
