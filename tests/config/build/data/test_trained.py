import dataclasses
import logging

from symmflow_jax.config.build.data import trained
from symmflow_jax.config.values import DataConfig


def test_a_model_keeps_how_it_was_trained(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("symmflow_jax"), "propagate", True)
    values = {"fit": "letterbox", "dequantize_images": True, "image_size": (48, 64)}
    run = DataConfig(**values, image_channels=4, image_depth=16, value_range=(0.0, 4095.0))
    found = trained.kept(run, DataConfig(dir="others"))
    assert found == dataclasses.replace(run, dir="others")
    for told in (
        *("fit is 'crop'", "dequantize_images is False", r"image_size is (32, 32)"),
        *("image_channels is 3", "image_depth is 8", "value_range is ()"),
    ):
        assert f"config.data.{told}, but the run was trained with" in caplog.text
    caplog.clear()
    assert trained.kept(run, run) == run and not caplog.text


def test_points_and_images_are_not_brought_together(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("symmflow_jax"), "propagate", True)
    points = DataConfig(image_size=(), point_size=3)
    assert trained.kept(DataConfig(), points) == points and not caplog.text
    assert trained.kept(points, DataConfig(image_size=())) == points
