"""Scenes, their new masks, and the scores of edited scenes."""

import numpy as np
import pytest

from symmflow_jax.studies.editing import scenes
from symmflow_jax.studies.editing.scenes import AGREEMENT, AT_KEPT, PASSES, RMSE

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]

_TINY = {
    "network.channels": 8,
    "network.channel_multipliers": (1,),
    "network.num_groups": 4,
    "network.head_channels": 8,
    "train.batch_size": 4,
    "train.num_epochs": 0.0004,
    "train.warmup_epochs": 0.0001,
}


@pytest.fixture(scope="module")
def model():
    import jax

    with jax.numpy_dtype_promotion("standard"):
        return scenes.model_of("", _TINY)


def test_all_shapes_move_to_the_right():
    drawn = scenes.draw(3)
    np.testing.assert_array_equal(drawn.new[:, :, scenes.SHIFT :], drawn.old[:, :, : -scenes.SHIFT])
    assert not drawn.new[:, :, : scenes.SHIFT].any()


def test_the_rows_of_the_table_hold_what_their_names_say(model, monkeypatch):
    few = {name: scenes.VARIANTS[name] for name in (scenes.SAME, scenes.KEPT)}
    monkeypatch.setattr(scenes, "VARIANTS", few)
    monkeypatch.setattr(scenes, "NUM_STEPS", 2)
    rows = scenes.table(model, scenes.draw(2))
    assert list(rows) == [scenes.GENERATED, scenes.SAME, scenes.KEPT]
    assert rows[scenes.SAME][AT_KEPT] == rows[scenes.KEPT][AT_KEPT] == 0.0
    assert rows[scenes.GENERATED][RMSE] > 0.1
    assert [row[PASSES] for row in rows.values()] == [2, 4, 4]
    assert all(0.0 <= row[AGREEMENT] <= 1.0 for row in rows.values())


def test_a_seam_shows_in_the_step_across_the_border():
    mask, changed = np.zeros((1, 8, 8), int), np.zeros((1, 8, 8), bool)
    changed[:, :, 4:] = True
    ramp = np.broadcast_to(10 * np.arange(8)[:, None], (8, 8, 3))[None]
    # Half of the steps of the photo are 10, along the ramp, and half are 0.
    assert scenes.border(ramp, ramp, mask, changed) == 2.0
    assert scenes.border(ramp + 30 * changed[..., None], ramp, mask, changed) == 8.0


def test_edges_between_classes_are_no_seams():
    mask = np.zeros((1, 4, 4), int)
    mask[:, 2:] = 1
    changed = mask == 1
    changed[:, :, 0] = True
    image = 100 * mask[..., None] + np.arange(4)[:, None] + np.zeros(3, int)
    # Across the border within a class, only along the rows: steps of 1 and, in the photo, 1/2.
    assert scenes.border(image, image, mask, changed) == 1.0 / (24 / 40)


def test_rmse_is_that_of_signals():
    black, white = np.zeros((1, 2, 2, 3), np.uint8), np.full((1, 2, 2, 3), 255, np.uint8)
    where = np.asarray([[[True, False], [False, False]]])
    assert scenes.rmse(black, white, where) == 2.0 and scenes.rmse(black, black, where) == 0.0


def test_a_run_of_one_clock_is_refused():
    assert "train with 'independent'" in scenes.refusal()


def test_a_run_of_other_images_is_refused(monkeypatch, model):
    monkeypatch.setattr(scenes, "load", lambda folder: model)
    other = type(model)(
        model.experiment.changed({"data.image_size": (16, 16)}), model.weights, model.step
    )
    assert scenes.model_of("runs/shapes") is model
    monkeypatch.setattr(scenes, "load", lambda folder: other)
    with pytest.raises(ValueError, match="give a run of that config"):
        scenes.model_of("runs/other")
