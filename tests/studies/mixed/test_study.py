"""The study of mixed supervision at a tiny size."""

import numpy as np
import pytest

from symmflow_jax.studies.mixed import study as mixed
from symmflow_jax.studies.mixed.study import Row

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]


def test_every_training_has_a_row(monkeypatch, tiny, row):
    for name, value in (
        *(("NUM_MASKS", 6), ("NUM_IMAGES", 10), ("NUM_PSEUDO", 4), ("NUM_STEPS", 1)),
    ):
        monkeypatch.setattr(mixed, name, value)
    changes = tiny | {
        "data.image_size": (4, 4),
        "data.eval_size": 5,
        "network.channel_multipliers": (1,),
        "network.num_groups": 2,
        "network.head_channels": 4,
        "train.warmup_epochs": 0.0,
        "train.batch_size": 4,
    }
    found = mixed.study(changes)
    for name in (mixed.MASKS, mixed.SAME_STEPS, mixed.SAME_MASKS, mixed.PSEUDO):
        assert all(0 < float(cell) < 5 for cell in row(found.text, name)[1:])
    assert found.text.count("\n- met: ") + found.text.count("\n- missed: ") == 3
    assert found.plot.dtype == np.uint8 and found.plot.std() > 1


def _rows(**changed) -> dict[str, Row]:
    rows = {
        mixed.MASKS: Row(0.65, 0.335, 0.517),
        mixed.SAME_STEPS: Row(0.59, 0.347, 0.43),
        mixed.SAME_MASKS: Row(0.66, 0.33, 0.409),
        mixed.PSEUDO: Row(0.674, 0.345, 0.525),
    }
    return rows | changed


def test_gates_and_finding_tell_what_came_out():
    assert [line.split(":")[0] for line in mixed.gates_of(_rows())] == ["met"] * 3
    worse = mixed.gates_of(_rows(**{mixed.SAME_MASKS: Row(0.61, 0.336, 0.48)}))
    assert [line.split(":")[0] for line in worse] == ["missed"] * 3
    assert "(0.517 to 0.480)" in worse[0]
    text = mixed.finding(_rows())
    assert "it falls from 0.650 to 0.590" in text and "rises from 0.650 to 0.674" in text
