"""The study of canvases at a tiny size."""

import numpy as np
import pytest

from symmflow_jax.studies.canvas import study as canvas_study

pytestmark = [pytest.mark.usefixtures("standard_dtype_promotion"), pytest.mark.slow]

_TINY = {
    "data.train_size": 16,
    "network.channels": 8,
    "network.channel_multipliers": (1,),
    "network.head_channels": 8,
    "train.batch_size": 4,
    "train.num_epochs": 0.5,
    "train.warmup_epochs": 0.0,
}


def test_every_way_of_reading_and_making_is_in_the_report(monkeypatch):
    kept = (canvas_study.NONE, canvas_study.HALF, canvas_study.WHOLE, canvas_study.SHRUNK)
    monkeypatch.setattr(canvas_study, "VIEWS", {n: canvas_study.VIEWS[n] for n in kept})
    monkeypatch.setattr(canvas_study, "ACROSS", 2)
    found = canvas_study.study(changes=_TINY, num_canvases=1, num_made=1, num_steps=1)
    for name in (*kept, canvas_study.SINGLE, canvas_study.ALIGNED):
        assert f"\n| {name} | 0." in found.text
    for overlap in ("0", "0.25", "0.5"):
        assert f"\n| {overlap} | " in found.text
    # An untrained model reads nothing: the gates tell.
    assert "at least 0.87: DOES NOT HOLD" in found.text
    assert f"{canvas_study.SHRUNK}: at most 0.4: holds" in found.text
    assert found.plot.dtype == np.uint8 and found.plot.std() > 1
