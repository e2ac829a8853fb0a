"""Pictures, models that read them, and answers that are known."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.inference.compiled import predictions
from symmflow_jax.inference.compiled.predictions import SemanticsPrediction
from symmflow_jax.inference.model import Model


@pytest.fixture(scope="module")
def mask_model(random_model):
    return random_model()


@pytest.fixture(scope="module")
def plane_model(random_model):
    return random_model(**{"semantics.encoding": "plane", "semantics.dequantization_beta": 4.0})


@pytest.fixture
def picture(tmp_path):
    """A picture twice as large as the models'."""
    path = tmp_path / "picture.png"
    Image.fromarray(np.full((16, 16, 3), 200, np.uint8)).save(path)
    return str(path)


@pytest.fixture
def photos(tmp_path):
    """A folder of photos, two of one stem."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("cat.jpg", "cat.png", "dog.png"):
        Image.fromarray(np.full((16, 16, 3), len(name), np.uint8)).save(folder / name)
    return folder


@pytest.fixture
def answer(monkeypatch) -> Callable[..., None]:
    """A function that makes every model answer one thing to every picture."""

    def set_answer(
        labels, confidence, entropy, probabilities=None, signal=0.0, distances=None, votes=None
    ):
        votes = np.asarray(labels)[None] if votes is None else votes
        values = (labels, confidence, entropy, probabilities, signal, 1, distances, votes)
        arrays = [None if value is None else np.asarray(value) for value in values]

        def repeated(count: int) -> SemanticsPrediction:
            return SemanticsPrediction(
                *(None if a is None else np.broadcast_to(a, (count, *a.shape)) for a in arrays)
            )

        monkeypatch.setattr(
            Model, "predict_semantics", lambda self, images, *_: repeated(len(images))
        )
        monkeypatch.setattr(
            predictions,
            "predict_semantics",
            lambda method, weights, key, index, image, **_: repeated(len(index)),
        )

    return set_answer
