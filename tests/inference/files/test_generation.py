"""Masks and labels in, images out."""

import jax
import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.source import DataError
from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.inference.files.generation import generate_files

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(random_model):
    return random_model(**{"train.clock": "independent"})


@pytest.fixture
def mask(tmp_path):
    path = tmp_path / "mask.png"
    Image.fromarray(np.eye(8, dtype=np.uint8)).save(path)
    return str(path)


def test_a_seed_gives_the_same_images_and_another_seed_others(model, mask, tmp_path):
    def made(name: str, seed: int) -> list[bytes]:
        options = {"seed": seed, "num_steps": 2, "num_samples": 2}
        paths = generate_files(model, mask, tmp_path / name, **options)
        return [path.read_bytes() for path in paths]

    first = made("first", 0)
    assert made("same", 0) == first
    assert made("other", 1) != first
    assert first[0] != first[1]


def test_guidance_changes_what_is_made(model, mask, tmp_path):
    options = {"seed": 0, "num_steps": 2, "num_samples": 1}
    (plain,) = generate_files(model, mask, tmp_path / "plain", **options)
    guidance = Guidance(weight=4.0)
    (guided,) = generate_files(model, mask, tmp_path / "guided", guidance=guidance, **options)
    assert plain.read_bytes() != guided.read_bytes()


def test_guidance_of_one_clock_is_an_error(random_model, tmp_path, mask):
    with pytest.raises(
        ValueError, match=r"Guidance needs a network with a clock for each component"
    ):
        generate_files(
            random_model(),
            mask,
            tmp_path,
            seed=0,
            num_steps=1,
            num_samples=1,
            guidance=Guidance(weight=2.0),
        )


def test_an_id_that_the_model_does_not_know_is_an_error(model, tmp_path):
    mask = tmp_path / "mask.png"
    Image.fromarray(np.full((4, 4), 77, np.uint8)).save(mask)
    with pytest.raises(ValueError, match=r"mask\.png: ids 77 are outside the class list"):
        generate_files(model, str(mask), tmp_path, seed=0, num_steps=1, num_samples=1)


def test_labels_are_named_or_numbered(random_model, tmp_path, monkeypatch):
    model = random_model(**{"semantics.encoding": "colour"})

    def white(self, conditions, key: jax.Array, num_steps, guidance):
        return np.full((len(conditions), 8, 8, 3), 255, np.uint8)

    monkeypatch.setattr(type(model), "generate", white)
    options = {"seed": 0, "num_steps": 1, "num_samples": 1}
    written = generate_files(model, "cross, 0", tmp_path / "two", **options)
    assert [path.name for path in written] == ["cross_0.png", "circle_0.png"]
    assert len(generate_files(model, "", tmp_path / "all", **options)) == 4
    with pytest.raises(DataError, match=r"names 4, star; the model's classes are circle, square"):
        generate_files(model, "4,star", tmp_path, **options)
