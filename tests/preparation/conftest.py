"""Folders of images and masks for the checks of data."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.values import Config, DataConfig


@pytest.fixture
def folder(tmp_path):
    """A function that writes masks, and images of one grey to them, and returns an experiment."""

    def write(masks, names=("sky", "road"), **options) -> Experiment:
        for part, split in enumerate(("train", "val")):
            for kind in ("images", "masks"):
                (tmp_path / split / kind).mkdir(parents=True)
            for number, mask in enumerate(masks):
                mask = np.asarray(mask, np.uint8)
                image = np.full((*mask.shape[:2], 3), 2 * number + part, np.uint8)
                Image.fromarray(image).save(tmp_path / split / "images" / f"{number}.png")
                Image.fromarray(mask).save(tmp_path / split / "masks" / f"{number}.png")
        data = DataConfig(source="paired_folder", dir=str(tmp_path), class_names=names, **options)
        return Experiment(Config(data=data))

    return write
