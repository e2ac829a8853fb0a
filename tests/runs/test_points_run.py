"""Runs on points as a whole, whatever their dimension."""

import json

import jax
import numpy as np
import pytest
from PIL import Image

import symmflow_jax
from symmflow_jax.data.source import DataError
from symmflow_jax.loop.start import Start
from symmflow_jax.train import train_and_evaluate

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]

_KEY = jax.random.key(0)


@pytest.fixture(scope="module")
def points_experiment(tiny_experiment):
    """A function from a source to the config of two steps."""
    values = {
        "data.image_size": (),
        "data.train_size": 16,
        "semantics.encoding": "plane",
        "network.name": "mlp",
        "train.num_epochs": 1.0,
        "train.eval_every_steps": 1,
        "eval.num_steps": (1,),
    }
    return lambda source, **overrides: tiny_experiment(
        **values | {"data.source": source} | overrides
    )


def test_sixteen_dimensions_go_the_whole_way(points_experiment, tmp_path):
    train_and_evaluate(points_experiment("gaussian_mixture", **{"data.point_size": 16}), tmp_path)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert {m["task"] for m in metrics} == {"classification", "generation", "objective"}
    for name in ("examples", "step_0000001"):
        assert np.asarray(Image.open(tmp_path / f"pictures/{name}.png")).std() > 1

    model = symmflow_jax.load(tmp_path)
    assert model.image_shape == (16,) and model.step == 2
    points = model.generate([0, 7, 3], _KEY, num_steps=1)
    assert points.shape == (3, 16) and points.dtype == np.float32 and np.isfinite(points).all()
    assert {result.label for result in model.classify(points, _KEY)} <= set(range(8))
    with pytest.raises(ValueError, match=r"shape \(3, 2\); this model takes \('batch', 16\)"):
        model.classify(points[:, :2], _KEY)


def test_checkpoints_from_before_the_size_of_points_load_and_go_on(points_experiment, tmp_path):
    experiment = points_experiment("spirals", **{"train.eval_every_steps": 0})
    train_and_evaluate(experiment, tmp_path)
    labels = symmflow_jax.load(tmp_path).classify(np.ones((2, 2), np.float32), _KEY)
    # What such a checkpoint says of itself, in its own file.
    (path,) = (tmp_path / "checkpoints").glob("*/description/metadata")
    values = json.loads(path.read_text())
    del values["config"]["data"]["point_size"]
    path.write_text(json.dumps(values))
    model = symmflow_jax.load(tmp_path)
    assert model.image_shape == (2,)
    np.testing.assert_array_equal(model.classify(np.ones((2, 2), np.float32), _KEY), labels)
    assert Start.check(experiment, tmp_path).step == 2


@pytest.mark.parametrize(
    ("source", "overrides", "message"),
    [
        ("gaussian_mixture", {}, r"point_size is 2, but .*'gaussian_mixture' have 16 .* to 16"),
        ("spirals", {"data.point_size": 3}, r"point_size is 3, but .* have 2 numbers; set it to 2"),
        ("shapes", {}, r"image_size is empty, .* 'shapes' has images of shape \(\d+, \d+\)"),
    ],
)
def test_points_of_another_size_are_refused(points_experiment, source, overrides, message):
    with pytest.raises(DataError, match=message):
        points_experiment(source, **overrides).training_source


def test_sizes_are_positive(points_experiment):
    with pytest.raises(ValueError, match=r"data\.point_size is 0; it must be at least 1"):
        points_experiment("spirals", **{"data.point_size": 0})
