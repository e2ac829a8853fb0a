"""Packed data is watched beside the files it was packed of."""

import numpy as np
import pytest
from absl import flags
from PIL import Image

from symmflow_jax.performance.benchmark import packed_files
from symmflow_jax.preparation.pack import pack


def test_both_are_read_alternately(tiny_experiment, tmp_path, monkeypatch):
    loose = tmp_path / "loose"
    for split in ("train", "val"):
        for kind, shape in (("images", (20, 30, 3)), ("masks", (20, 30))):
            (loose / split / kind).mkdir(parents=True)
            for number in range(3):
                picture = Image.fromarray(np.zeros(shape, np.uint8))
                picture.save(loose / split / kind / f"{number}.png")
    flags.FLAGS(["test"])
    monkeypatch.setattr(packed_files, "_NUM_WORKERS", (0,))
    values = {"data.source": "paired_folder", "data.dir": str(loose)}
    experiment = tiny_experiment(**values, **{"data.class_names": ("one", "two")})
    pack(experiment, tmp_path / "packed", 2)
    packed = str(tmp_path / "packed")
    (row,) = packed_files.measure(experiment, packed, 2, num_rounds=2, seconds=0.05)
    assert row.reader == "threads of the main process"
    assert row.loose > 0 and row.packed > 0 and 0 < row.ratios[0] <= row.ratios[1]
    for path in (loose / "train").rglob("2.png"):
        path.unlink()
    with pytest.raises(ValueError, match="has 3 training examples, and the loose data 2"):
        packed_files.measure(experiment.changed({}), packed, 2, num_rounds=1, seconds=0.05)
