"""Opening of splits, caches and classes."""

import logging
import pickle

import numpy as np
import pytest

from symmflow_jax.config.build.data import opening
from symmflow_jax.config.build.data.sources import SOURCES
from symmflow_jax.data.source import DataError

_DRAWN = [name for name in SOURCES if SOURCES[name].is_drawn]


@pytest.mark.parametrize("name", _DRAWN)
def test_drawn_sources_have_the_kinds_that_the_table_says(experiment_of, name):
    experiment = experiment_of(name, **{"data.train_size": 5, "data.eval_size": 3})
    opened = [opening.open_source(experiment.config, train=train) for train in (True, False)]
    assert [len(source) for source in opened] == [5, 3]
    for source in opened:
        assert source.schemas.keys() == set(SOURCES[name].kinds)
        assert source[0].keys() >= {"image", *SOURCES[name].kinds}
    assert not np.array_equal(np.asarray(opened[0][0]["image"]), np.asarray(opened[1][0]["image"]))


def test_classes_that_are_not_known_without_the_data_can_be_named(experiment_of):
    with pytest.raises(DataError, match=r"nowhere.* Without the data, .*data\.class_names"):
        experiment_of("npz").without_files().schema  # noqa: B018
    named = experiment_of("npz", **{"data.class_names": ("benign", "malignant")})
    assert named.without_files().schema.names == ("benign", "malignant")
    folder = experiment_of(
        "paired_folder",
        **{
            "data.class_names": ("sky", "road"),
            "data.class_ids": (7, 11),
            "data.ignored_id": 255,
        },
    )
    assert folder.without_files().schema.raw_ids == (7, 11, 255)


def test_points_and_pictures_are_told_apart(experiment_of):
    points = {"data.image_size": (), "data.point_size": 3, "network.name": "mlp"}
    with pytest.raises(DataError, match=r"means points, but 'shapes' has images of shape"):
        experiment_of("shapes", **points).training_source  # noqa: B018
    with pytest.raises(DataError, match="points of 'spirals' have 2 numbers; set it to 2"):
        experiment_of("spirals", **points).training_source  # noqa: B018


def test_what_a_cache_must_have_been_made_of(tiny_experiment):
    metadata = opening.cache_metadata(tiny_experiment(**{"data.random_flip": True}).config)
    assert metadata == {
        "source": "shapes",
        "split": "train",
        "target": "mask",
        "image_size": (8, 8),
        "resampling": "bicubic",
        "fit": "crop",
        "exif": "apply",
        "has_mirrored": True,
        "seed": 0,
    }
    assert opening.open_cache(tiny_experiment().config) is None


def test_rows_of_floats_are_no_images(tiny_experiment, tmp_path):
    np.savez(tmp_path / "set.npz", train_images=np.zeros((2, 64)), train_labels=np.arange(2))
    values = {"data.source": "npz", "data.dir": str(tmp_path), "semantics.encoding": "plane"}
    with pytest.raises(DataError, match=r"has rows of 64 floats, which are points, but"):
        tiny_experiment(**values).training_source  # noqa: B018


def test_what_is_not_used_is_logged_once_and_not_by_the_readers(
    folder_experiment, tmp_path, caplog
):
    (tmp_path / "train/images/a.gif").touch()
    with caplog.at_level(logging.INFO):
        experiment = folder_experiment(
            **{"data.class_names": ("sky", "road"), "data.class_ids": (7, 11)}
        )
        for _ in range(2):
            pickle.loads(pickle.dumps(experiment.training_source))
    folder = tmp_path / "train/images"
    assert [record.getMessage() for record in caplog.records] == [
        f"{folder}: 1 pair; not used in {folder}: 1 file of another kind (.gif 1; .gif: save them "
        "as .png)."
    ]
