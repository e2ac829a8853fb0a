"""What tells one set of examples from another."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.latent_cache.writer import CacheWriter


@pytest.fixture
def folder(tmp_path):
    """A folder of two pairs."""
    for name in ("images", "masks"):
        (tmp_path / "train" / name).mkdir(parents=True)
        for number in range(2):
            image = Image.new("RGB" if name == "images" else "L", (8, 8), number)
            image.save(tmp_path / "train" / name / f"{number}.png")
    return tmp_path


def _of_folder(tiny_experiment, folder, **overrides):
    values = {
        "data.source": "paired_folder",
        "data.dir": str(folder),
        "data.class_names": ("sky", "road"),
    }
    return tiny_experiment(**values | overrides).training_provenance()


def test_drawn_examples_are_told_by_size_and_seed(tiny_experiment):
    found = tiny_experiment(seed=3).training_provenance()
    assert found["keys"] == {"data.source": "shapes", "data.train_size": 64, "seed": 3}
    assert (found["num_examples"], found["num_files"]) == (64, 0)


def test_files_are_told_by_their_fingerprint_wherever_they_lie(tiny_experiment, folder, tmp_path):
    before = _of_folder(tiny_experiment, folder)
    assert (before["num_examples"], before["num_files"]) == (2, 4)
    (folder / "train").rename(folder / "moved")
    moved = {"data.train_images": "moved/images", "data.train_masks": "moved/masks"}
    after = _of_folder(tiny_experiment, folder, **moved)
    assert after == before | {"folder": str(folder / "moved")}


@pytest.mark.parametrize(
    ("key", "value"),
    [("class_colours", ("#000000", "#ffffff")), ("class_ids", (0, 7)), ("ignored_id", 255)],
)
def test_keys_that_choose_the_classes_of_pixels_count(tiny_experiment, folder, key, value):
    before = _of_folder(tiny_experiment, folder)["keys"]
    after = _of_folder(tiny_experiment, folder, **{f"data.{key}": value})["keys"]
    assert {name for name in after if after[name] != before[name]} == {f"data.{key}"}
    # The seed of files decides their order alone.
    assert _of_folder(tiny_experiment, folder, seed=5)["keys"] == before


def test_encoded_examples_are_the_pictures_that_were_encoded(latent_experiment, tmp_path):
    cached = latent_experiment(**{"data.latents": str(tmp_path / "cache")})
    weights = {"encoder": {"kernel": np.ones((2, 2), np.float32)}}
    index = latent_experiment().cache_index(weights)
    with CacheWriter(tmp_path / "cache", index) as writer:
        for _ in range(10):
            writer.write(np.ones((1, 4, 4, 2), np.float32), np.zeros((8, 8), np.int32))
    pictures, encoded = latent_experiment().training_provenance(), cached.training_provenance()
    assert encoded["digest"] == pictures["digest"] and encoded["keys"] == pictures["keys"]
    assert encoded["folder"] == str(tmp_path / "cache")
