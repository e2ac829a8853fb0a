"""Exports of StableHLO, run by their own script where this package cannot be imported."""

import jax
import numpy as np
import pytest
from PIL import Image

from symmflow_jax.inference.export.programs import ProgramForm
from symmflow_jax.inference.export.stablehlo import write_stablehlo

_FORM = ProgramForm(num_steps=2)


@pytest.fixture(scope="module")
def scenes(scene_model, tmp_path_factory):
    """A model of masks, and its export."""
    folder = tmp_path_factory.mktemp("scenes") / "export"
    write_stablehlo(scene_model, folder, _FORM)
    return scene_model, folder


def test_a_segmenter_gives_the_outputs_of_the_model(scenes, run_outside, tmp_path):
    model, folder = scenes
    photo = np.random.default_rng(0).integers(256, size=(8, 8, 3), dtype=np.uint8)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    given = (folder / "run_stablehlo.py", "segment", tmp_path / "photo.png")
    result = run_outside(*given, tmp_path / "outputs.npz", "5")
    assert result.returncode == 0, result.stderr
    outputs = np.load(tmp_path / "outputs.npz")
    expected = model.predict_semantics(photo[None], jax.random.key(5), num_steps=2)
    assert set(outputs) == {"ids", "confidence", "entropy", "probabilities"}
    np.testing.assert_array_equal(outputs["ids"], expected.labels[0])
    assert len(np.unique(outputs["ids"])) > 1
    for name in ("confidence", "entropy", "probabilities"):
        np.testing.assert_allclose(outputs[name], getattr(expected, name)[0], atol=1e-5)


def test_a_generator_gives_the_pixels_of_the_model(scenes, run_outside, tmp_path):
    model, folder = scenes
    mask = np.random.default_rng(0).integers(model.schema.num_classes, size=(8, 8), dtype=np.uint8)
    Image.fromarray(mask).save(tmp_path / "mask.png")
    script = folder / "run_stablehlo.py"
    result = run_outside(script, "generate", tmp_path / "mask.png", tmp_path / "image.png")
    assert result.returncode == 0, result.stderr
    expected = model.generate_arrays(mask[None], jax.random.key(0), num_steps=2)[0]
    made = np.asarray(Image.open(tmp_path / "image.png"))
    assert np.abs(made.astype(int) - expected).max() <= 1
    Image.fromarray(mask[:4]).save(tmp_path / "wide.png")
    result = run_outside(script, "generate", tmp_path / "wide.png")
    assert result.returncode == 0 and "wide.png (8x4) is stretched to 8x8." in result.stderr
    Image.fromarray(np.full((8, 8), 99, np.uint8)).save(tmp_path / "mask.png")
    result = run_outside(script, "generate", tmp_path / "mask.png")
    assert result.returncode == 1
    assert "Error: " in result.stderr and "ids that no class has" in result.stderr


def test_points_go_in_and_labels_come_out(point_model, run_outside, tmp_path):
    model = point_model
    write_stablehlo(model, tmp_path / "export", ProgramForm(functions=("classify",)))
    assert not (tmp_path / "export" / "generate.stablehlo").exists()
    script = tmp_path / "export" / "run_stablehlo.py"
    result = run_outside(script, "classify", "0.5,-0.2", tmp_path / "outputs.npz")
    assert result.returncode == 0, result.stderr
    point = np.asarray([[0.5, -0.2]], np.float32)
    expected = model.predict_semantics(point, jax.random.key(0))
    outputs = np.load(tmp_path / "outputs.npz")
    assert outputs["ids"] == model.schema.raw_ids[int(expected.labels[0])]
    assert f"ids {outputs['ids']}\n" in result.stdout
    np.testing.assert_allclose(outputs["distances"], expected.distances[0], rtol=1e-5)
