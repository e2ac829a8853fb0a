"""Examples to measure methods on that answer in known ways, without a network."""

from collections.abc import Callable

import jax
import numpy as np
import pytest
from PIL import Image

from symmflow_jax.evaluation.evaluator import EvaluatedWeights, Evaluator, evaluator_of
from symmflow_jax.methods.weights import Weights


@pytest.fixture
def evaluated() -> EvaluatedWeights:
    """No weights at all."""
    return EvaluatedWeights(Weights({}), train_step=7)


@pytest.fixture
def striped(tiny_experiment, tmp_path) -> Callable[..., Evaluator]:
    """A function from overrides to an evaluator of three black 8x8 pictures, a quarter stripes."""
    for split in ("train", "val"):
        for kind, shape in (("images", (8, 8, 3)), ("masks", (8, 8))):
            folder = tmp_path / split / kind
            folder.mkdir(parents=True)
            array = np.zeros(shape, np.uint8)
            if kind == "masks":
                array[1::4] = 1
            for number in range(3):
                Image.fromarray(array).save(folder / f"{number}.png")
    values = {
        "data.source": "paired_folder",
        "data.dir": str(tmp_path),
        "data.class_names": ("wall", "stripe"),
        "eval.batch_size": jax.local_device_count() * 2,
    }

    def make(**overrides) -> Evaluator:
        return evaluator_of(tiny_experiment(**values | overrides))

    return make
