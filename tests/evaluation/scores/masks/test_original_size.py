"""Whole images in scores, read by the views of inference."""

import jax
import numpy as np
import pytest
from PIL import Image

from symmflow_jax.evaluation.evaluator import EvaluatedWeights, evaluator_of
from symmflow_jax.evaluation.scores import recognition
from symmflow_jax.flow.solvers.fixed_steps import euler
from symmflow_jax.methods.weights import Weights
from tests.campaigns.experiments import random_params

_SIZES = [(8, 20), (16, 8), (8, 8)]


@pytest.fixture
def scores(tiny_experiment, tmp_path):
    """A function from overrides to the scores of three pictures of three sizes."""
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for kind, channels in (("images", (3,)), ("masks", ())):
            folder = tmp_path / split / kind
            folder.mkdir(parents=True)
            for number, size in enumerate(_SIZES):
                array = rng.integers(256 if channels else 2, size=(*size, *channels))
                Image.fromarray(array.astype(np.uint8)).save(folder / f"{number}.png")
    values = {
        "data.source": "paired_folder",
        "data.dir": str(tmp_path),
        "data.class_names": ("wall", "floor"),
        "eval.batch_size": jax.local_device_count() * 2,
        "eval.original_size": True,
    }

    def measure(**overrides):
        evaluator = evaluator_of(tiny_experiment(**values | overrides))
        evaluated = EvaluatedWeights(Weights(random_params(evaluator.method)), 7, native_scale=1.0)
        protocol = evaluator.protocol("segmentation", evaluated, 0, solver="euler", num_steps=1)
        return recognition.predict_semantics(
            evaluator, evaluated, euler(1), protocol, num_examples=0, original_size=True
        )

    return measure


@pytest.mark.parametrize("encoding", ["onehot", "palette"])
def test_whole_images_are_scored_beside_the_parts_that_the_model_sees(scores, encoding):
    found = scores(**{"semantics.encoding": encoding, "eval.fit": "tiles"})
    model, original = found.scores
    assert model.protocol.view is None and model.nfe == 1
    assert original.protocol.scored_size == "original"
    assert original.protocol.view == "tiles, overlap 0.5, scale 1"
    # 8x8 windows with half overlap: 4 over 8x20 pixels, 3 over 16x8, and one.
    assert original.num_examples == 3 and original.nfe == pytest.approx((4 + 3 + 1) / 3)
    assert 0.0 <= original.values["miou"] <= 1.0


def test_without_a_view_the_part_that_the_model_sees_is_enlarged(scores):
    found = scores()
    assert found.scores[1].protocol.view is None and found.scores[1].nfe == 1


def test_the_grey_of_a_letterbox_does_not_count(scores):
    found = scores(**{"data.fit": "letterbox", "semantics.encoding": "onehot"})
    assert found.scores[0].protocol.crop is None and found.scores[0].protocol.fit == "letterboxed"
    # 8x20 pixels fill 3 rows of 8, and 16x8 pixels 4 columns.
    assert found.counts.sum() == 3 * 8 + 8 * 4 + 64
