"""Experiments on each source."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.config.build.data.sources import SOURCES
from symmflow_jax.semantics.kinds import SemanticsKind

_DRAWN = [name for name in SOURCES if SOURCES[name].is_drawn]
_ENCODINGS = {SemanticsKind.MASK: "palette", SemanticsKind.LABEL: "plane"}


@pytest.fixture
def experiment_of(tiny_experiment):
    """A function from a source's name to an experiment whose data is not there, but if drawn."""

    def make(name, **overrides):
        values = {
            "data.source": name,
            "data.dir": "nowhere",
            "data.name": "mnist" if name == "tfds" else "",
            "semantics.encoding": _ENCODINGS[SOURCES[name].kinds[0]],
        }
        return tiny_experiment(**values | _size_of_drawn(name) | overrides)

    return make


@pytest.fixture
def folder_experiment(tiny_experiment, tmp_path):
    """An experiment on one pair of an image and a mask of the ids 7 and 11."""
    for name, array in (
        ("images", np.zeros((8, 8, 3), np.uint8)),
        ("masks", np.full((8, 8), 11, np.uint8)),
    ):
        (tmp_path / "train" / name).mkdir(parents=True)
        Image.fromarray(array).save(tmp_path / "train" / name / "a.png")
    values = {"data.source": "paired_folder", "data.dir": str(tmp_path)}
    return lambda **overrides: tiny_experiment(**values | overrides)


@pytest.fixture
def idx_set(tmp_path):
    """A function that writes an IDX set with the labels of its splits."""

    def write(train, test):
        for prefix, labels in (("train", train), ("t10k", test)):
            images = bytes([0, 0, 8, 3, 0, 0, 0, len(labels), 0, 0, 0, 2, 0, 0, 0, 2])
            (tmp_path / f"{prefix}-images-idx3-ubyte").write_bytes(images + bytes(4 * len(labels)))
            header = bytes([0, 0, 8, 1, 0, 0, 0, len(labels)])
            (tmp_path / f"{prefix}-labels-idx1-ubyte").write_bytes(header + bytes(labels))
        return {"data.source": "idx", "data.dir": str(tmp_path), "semantics.encoding": "plane"}

    return write


@pytest.fixture
def npz_set(tmp_path):
    """As `idx_set`, for an archive."""

    def write(train, test):
        arrays = {}
        for split, labels in (("train", train), ("test", test)):
            arrays[f"{split}_images"] = np.zeros((len(labels), 2, 2), np.uint8)
            arrays[f"{split}_labels"] = np.asarray(labels)
        np.savez(tmp_path / "set.npz", **arrays)
        return {"data.source": "npz", "data.dir": str(tmp_path), "semantics.encoding": "plane"}

    return write


def _size_of_drawn(name) -> dict:
    """Keys of the config for a source of points, as many as it has numbers."""
    if name not in _DRAWN:
        return {}
    shape = np.asarray(SOURCES[name].resolve()(1, "train", 0)[0]["image"]).shape
    points = {"data.image_size": (), "data.point_size": shape[0], "network.name": "mlp"}
    return points if len(shape) == 1 else {}
