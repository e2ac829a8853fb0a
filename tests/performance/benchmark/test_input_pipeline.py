"""The input pipeline is watched up to the device, beside Pillow on the same files."""

import numpy as np
import pytest
from absl import flags
from PIL import Image

from symmflow_jax.performance.benchmark import input_pipeline


def test_pairs_of_pictures_are_read_beside_pillow(tiny_experiment, tmp_path, monkeypatch):
    for kind in ("images", "masks"):
        (tmp_path / "train" / kind).mkdir(parents=True)
        picture = np.zeros((20, 30, 3) if kind == "images" else (20, 30), np.uint8)
        for number in range(3):
            Image.fromarray(picture).save(tmp_path / "train" / kind / f"{number}.png")
    flags.FLAGS(["test"])
    monkeypatch.setattr(input_pipeline, "_NUM_WORKERS", (1,))
    experiment = tiny_experiment(
        **{
            "data.source": "paired_folder",
            "data.dir": str(tmp_path),
            "data.class_names": ("one", "two"),
        }
    )
    plain, two, worker = input_pipeline.measure(experiment, batch_size=2, seconds=0.2)
    assert plain.reader == "plain Pillow, one process" and plain.ratio == 1.0
    assert two.reader == "plain Pillow, two processes" and two.images_per_second > 0
    assert worker.reader == "1 worker process"
    assert plain.images_per_second > 0 and worker.images_per_second > 0
    assert worker.start_seconds > 0.1  # A process has to start.
    assert worker.ratio == pytest.approx(
        worker.images_per_second / plain.images_per_second, rel=1e-6
    )


def test_other_sources_are_read_alone(tiny_experiment):
    (row,) = input_pipeline.measure(tiny_experiment(), batch_size=2, seconds=0.05)
    assert row.reader == "threads of the main process" and row.ratio is None
