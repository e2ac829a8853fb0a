"""Files in, files out."""

import numpy as np
import pytest
from PIL import Image

import symmflow_jax
from symmflow_jax import inference
from symmflow_jax.data.sources.source import DataError
from symmflow_jax.train import train_and_evaluate

pytestmark = pytest.mark.usefixtures("standard_dtype_promotion")


@pytest.fixture
def model(tiny_config, tmp_path):
    train_and_evaluate(tiny_config(**{"train.num_epochs": 0.25}), tmp_path / "run")
    return symmflow_jax.load(tmp_path / "run")


def test_masks_have_the_size_of_their_images_and_the_ids_of_the_data_set(model, tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    Image.fromarray(np.zeros((20, 31), np.uint8)).save(pictures / "grey.png")
    Image.fromarray(np.zeros((9, 8, 4), np.uint8)).save(pictures / "alpha.png")
    (pictures / "notes.txt").write_text("no picture")
    out = tmp_path / "out"
    options = {"seed": 0, "num_steps": 1, "num_draws": 1}
    written = inference.segment_files(model, str(pictures), out, **options)
    assert [path.name for path in written] == ["alpha.png", "grey.png"]
    mask = np.asarray(Image.open(out / "grey.png"))
    assert mask.shape == (20, 31)
    assert set(np.unique(mask)) <= set(model.schema.raw_ids)
    assert Image.open(out / "grey_overlay.png").size == (31, 20)
    # The same seed gives the same masks.
    inference.segment_files(model, str(pictures / "grey.png"), tmp_path / "again", **options)
    assert (tmp_path / "again" / "grey.png").exists()


def test_a_seed_gives_the_same_images_and_another_seed_others(model, tmp_path):
    mask = tmp_path / "mask.png"
    Image.fromarray(np.eye(8, dtype=np.uint8)).save(mask)
    options = {"num_steps": 2, "num_samples": 2}

    def made(name: str, seed: int) -> list[bytes]:
        paths = inference.generate_files(model, str(mask), tmp_path / name, seed=seed, **options)
        return [path.read_bytes() for path in paths]

    first = made("first", 0)
    assert made("same", 0) == first
    assert made("other", 1) != first
    assert first[0] != first[1]


def test_an_id_that_the_model_does_not_know_is_an_error(model, tmp_path):
    mask = tmp_path / "mask.png"
    Image.fromarray(np.full((4, 4), 77, np.uint8)).save(mask)
    with pytest.raises(ValueError, match=r"mask\.png: ids 77 are outside the class list"):
        inference.generate_files(model, str(mask), tmp_path, seed=0, num_steps=1, num_samples=1)


@pytest.mark.parametrize("path", ["", "nowhere", "."])
def test_no_picture_is_an_error(model, tmp_path, path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"is no picture and no folder with pictures"):
        inference.segment_files(model, path, tmp_path / "o", seed=0, num_steps=1, num_draws=1)


def test_a_broken_picture_is_named(model, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    with pytest.raises(DataError, match=r"broken\.png cannot be read"):
        inference.segment_files(model, str(broken), tmp_path, seed=0, num_steps=1, num_draws=1)


def test_labels_are_named_or_numbered(tiny_config, tmp_path):
    config = tiny_config(**{"semantics.encoding": "colour", "train.num_epochs": 0.25})
    train_and_evaluate(config, tmp_path / "run")
    model = symmflow_jax.load(tmp_path / "run")
    options = {"seed": 0, "num_steps": 1, "num_samples": 1}
    written = inference.generate_files(model, "cross, 0", tmp_path / "two", **options)
    assert [path.name for path in written] == ["cross_0.png", "circle_0.png"]
    assert len(inference.generate_files(model, "", tmp_path / "all", **options)) == 4
    with pytest.raises(DataError, match=r"names 4, star; the model's classes are circle, square"):
        inference.generate_files(model, "4,star", tmp_path, **options)
