"""Openers of sources."""

import numpy as np
import pytest

from symmflow_jax.config.build.data.sources import SOURCES
from symmflow_jax.data.decoding.decoding import Decoding
from symmflow_jax.data.source import DataError


def test_archives_are_files_in_the_folder_or_the_folder_itself(experiment_of, tmp_path):
    images, labels = np.zeros((2, 8, 8, 3), np.uint8), np.array([[0], [1]])
    arrays = {f"{split}_{what}": array for split in ("train", "val", "test")
              for what, array in (("images", images), ("labels", labels))}  # fmt: skip
    np.savez(tmp_path / "blood.npz", **arrays)
    for place in (
        {"data.dir": str(tmp_path), "data.name": "blood"},
        {"data.dir": str(tmp_path / "blood.npz")},
        {"data.dir": str(tmp_path / "blood.npz"), "data.name": "blood"},
    ):
        assert len(experiment_of("npz", **place).training_source) == 2
    other = {"data.dir": str(tmp_path / "blood.npz"), "data.name": "path"}
    with pytest.raises(
        DataError, match=r"is the archive .*blood\.npz, but .*name is path, .*=blood"
    ):
        experiment_of("npz", **other).training_source  # noqa: B018


@pytest.mark.parametrize("name", ["ade20k", "coco_stuff", "celebamask_hq", "cityscapes"])
def test_sources_of_image_files_decode_as_the_config_says(tiny_experiment, name):
    given = {}

    def constructor(root, split, decoding):
        given["decoding"] = decoding

    choice = SOURCES[name]
    values = {"data.source": name, "data.max_megapixels": 2.5, "data.exif": "ignore"}
    experiment = tiny_experiment(**values)
    choice.opener(constructor, experiment.data, True, 0)
    assert given["decoding"] == Decoding(max_megapixels=2.5, applies_exif=False)
    assert {"max_megapixels", "exif"} <= set(choice.used_keys)
    assert experiment.unused_keys(["data.exif"]) == []
    assert tiny_experiment().unused_keys(["data.exif"]) == ["data.exif"]
