import logging

from symmflow_jax.config.build.data import trained
from symmflow_jax.config.values import DataConfig


def test_a_model_keeps_how_it_was_trained(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("symmflow_jax"), "propagate", True)
    run = DataConfig(fit="letterbox", dequantize_images=True)
    found = trained.kept(run, DataConfig(dir="others"))
    assert (found.fit, found.dequantize_images, found.dir) == ("letterbox", True, "others")
    for told in ("fit is 'crop'", "dequantize_images is False"):
        assert f"config.data.{told}, but the run was trained with" in caplog.text
    caplog.clear()
    assert trained.kept(run, run) == run and not caplog.text
