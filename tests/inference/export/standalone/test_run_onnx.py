"""Exports of ONNX, run by their own script where neither this package nor JAX is needed."""

import jax
import numpy as np
import pytest
from PIL import Image

from symmflow_jax.inference.export.onnx_model import write_onnx
from symmflow_jax.inference.export.programs import ProgramForm

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def test_a_segmenter_of_latents_gives_the_outputs_of_the_model(
    latent_experiment, drawn_model, run_outside, tmp_path
):
    latent_model = drawn_model(latent_experiment())
    write_onnx(latent_model, tmp_path / "export", ProgramForm(seed=3))
    photo = np.random.default_rng(0).integers(256, size=(8, 8, 3), dtype=np.uint8)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    given = (tmp_path / "export" / "run_onnx.py", "segment", tmp_path / "photo.png")
    result = run_outside(*given, tmp_path / "outputs.npz")
    assert result.returncode == 0, result.stderr
    assert "is stretched" not in result.stderr
    outputs = np.load(tmp_path / "outputs.npz")
    expected = latent_model.predict_semantics(photo[None], jax.random.key(3))
    assert set(outputs) == {"ids", "confidence", "entropy"}
    np.testing.assert_array_equal(outputs["ids"], expected.labels[0])
    np.testing.assert_allclose(outputs["confidence"], expected.confidence[0], atol=1e-5)
    result = run_outside(*given, tmp_path / "mask.png")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "mask.png")), outputs["ids"])


def test_a_classifier_of_two_clocks_gives_the_outputs_of_the_model(
    tiny_experiment, drawn_model, run_outside, tmp_path
):
    model = drawn_model(
        tiny_experiment(
            **{
                "data.source": "idx",
                "data.dir": "nowhere",
                "data.image_channels": 1,
                "semantics.encoding": "onehot",
                "train.clock": "independent",
            }
        )
    )
    write_onnx(model, tmp_path / "export", ProgramForm(num_steps=2, ensemble_size=2))
    photo = np.random.default_rng(1).integers(256, size=(16, 12), dtype=np.uint8)
    Image.fromarray(photo).save(tmp_path / "digit.png")
    script = tmp_path / "export" / "run_onnx.py"
    result = run_outside(script, "classify", tmp_path / "digit.png", tmp_path / "outputs.npz")
    assert result.returncode == 0, result.stderr
    assert "digit.png (12x16) is stretched to 8x8. Cut it to this" in result.stderr
    resized = Image.fromarray(photo).resize((8, 8), Image.Resampling.BICUBIC)
    image = np.asarray(resized)[None, :, :, None]
    expected = model.predict_semantics(image, jax.random.key(0), num_steps=2, ensemble_size=2)
    outputs = np.load(tmp_path / "outputs.npz")
    assert outputs["ids"] == expected.labels[0]
    np.testing.assert_allclose(outputs["probabilities"], expected.probabilities[0], atol=1e-5)
    np.testing.assert_allclose(outputs["entropy"], expected.entropy[0], atol=1e-5)
