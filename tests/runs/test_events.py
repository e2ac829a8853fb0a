"""Event files, read back by TensorBoard's own reader."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.util import tensor_util

from symmflow_jax.runs.events import EventWriter

# Files are written and read as where TensorFlow is not installed.
pytestmark = pytest.mark.usefixtures("no_tensorflow")


def _read(folder) -> event_accumulator.EventAccumulator:
    """All events below a folder, as TensorBoard reads them."""
    accumulator = event_accumulator.EventAccumulator(str(folder), size_guidance={"tensors": 0})
    return accumulator.Reload()


def _numbers(accumulator, name: str) -> list[tuple[int, float]]:
    events = accumulator.Tensors(name)
    return [(event.step, tensor_util.make_ndarray(event.tensor_proto).item()) for event in events]


def test_scalars_are_read_back(tmp_path):
    writer = EventWriter(tmp_path)
    writer.write_scalars(1, {"train/loss": 0.5, "train/rate": np.float32(1e-3)})
    writer.write_scalars(2, {"train/loss": float("nan")})
    # Before the file is closed, as whoever watches a run does.
    accumulator = _read(tmp_path)
    assert accumulator.Tags()["tensors"] == ["train/loss", "train/rate"]
    assert _numbers(accumulator, "train/rate") == [(1, np.float32(1e-3))]
    (first, second) = _numbers(accumulator, "train/loss")
    assert first == (1, 0.5)
    assert second[0] == 2 and np.isnan(second[1])
    assert accumulator.SummaryMetadata("train/loss").plugin_data.plugin_name == "scalars"
    writer.close()


def test_images_are_read_back(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    writer = EventWriter(tmp_path)
    writer.write_images(3, {"examples": image})
    writer.close()
    accumulator = _read(tmp_path)
    assert accumulator.SummaryMetadata("examples").plugin_data.plugin_name == "images"
    (event,) = accumulator.Tensors("examples")
    width, height, encoded = tensor_util.make_ndarray(event.tensor_proto)
    assert (event.step, int(width), int(height)) == (3, 7, 5)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(encoded))), image)


def test_a_run_that_goes_on_adds_a_file(tmp_path):
    for step in range(3):
        writer = EventWriter(tmp_path)
        writer.write_scalars(step, {"loss": float(step)})
        writer.close()
    assert len(list(tmp_path.iterdir())) == 3
    assert _numbers(_read(tmp_path), "loss") == [(0, 0.0), (1, 1.0), (2, 2.0)]


def test_a_refusal_names_the_file(tmp_path, full_disk):
    writer = EventWriter(tmp_path)
    (path,) = tmp_path.iterdir()
    with full_disk(), pytest.raises(OSError, match="too large") as error:
        writer.write_scalars(0, {"loss": 1.0})
    assert error.value.filename == str(path)
    # What was there before is whole.
    assert _read(tmp_path).Tags()["tensors"] == []


def test_the_writer_leaves_tensorflow_alone(tmp_path):
    """Also where TensorFlow is installed, because its import takes seconds."""
    code = (
        "import pathlib, sys, numpy as np; from symmflow_jax.runs.events import EventWriter; "
        "writer = EventWriter(pathlib.Path(sys.argv[1])); "
        "writer.write_images(0, {'examples': np.zeros((2, 2, 3), np.uint8)}); "
        "writer.write_scalars(0, {'loss': 1.0}); writer.close(); "
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
