"""The study of masks with holes at a tiny size."""

import numpy as np
import pytest

from symmflow_jax.studies.holes import study as holes
from symmflow_jax.studies.holes.study import Agreement, Findings, Row

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]


def test_every_code_has_a_row(monkeypatch, tiny, row):
    for name, value in (("NUM_SCENES", 6), ("NUM_STEPS", 1), ("GENERATION_STEPS", 1)):
        monkeypatch.setattr(holes, name, value)
    changes = tiny | {
        "data.image_size": (4, 4),
        "data.eval_size": 5,
        "network.channel_multipliers": (1,),
        "network.num_groups": 2,
        "network.head_channels": 4,
        "train.warmup_epochs": 0.0,
        "train.batch_size": 4,
    }
    found = holes.study(changes)
    for name in holes.CODES:
        assert all(0 <= float(cell) <= 1 for cell in row(found.text, name)[1:])
    assert found.text.count("falls by at most") == 2
    assert found.plot.dtype == np.uint8 and found.plot.std() > 1


def test_holes_cover_a_third():
    hidden = holes.holes(20, (16, 24), np.random.default_rng(0))
    shares = hidden.mean(axis=(1, 2))
    assert hidden.shape == (20, 16, 24)
    assert (shares >= 1 / 3).all() and shares.max() < 0.65


@pytest.mark.parametrize(("value", "word"), [(0.90, "met"), (0.87, "missed")])
def test_the_gates_compare_holes_with_whole_masks(value, word):
    row = Row(0.9, Agreement(0.91, 0.5), Agreement(value, 0.47))
    first, second = holes.gates({holes.NO_CLASS: Findings(row, {})}).splitlines()
    assert first.startswith(f"- {word}: ") and second.startswith("- missed: ")


def test_a_shape_of_another_class_is_no_ground():
    target, found = np.asarray([0, 0, 1, 1]), np.asarray([0, 0, 2, 1])
    # Ground 1, class 1 a half, class 2 nothing; as shapes all are right.
    assert holes.agreement(target, found, 3) == (pytest.approx(0.5), 1.0)
