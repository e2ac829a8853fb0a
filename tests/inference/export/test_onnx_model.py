"""Segmenters and classifiers as ONNX."""

import importlib.util
import json

import jax
import numpy as np
import pytest

from symmflow_jax.inference.export import onnx_model
from symmflow_jax.inference.export.onnx_model import export_onnx, write_onnx
from symmflow_jax.inference.export.programs import ProgramForm
from symmflow_jax.runtime.errors import CheckpointError

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def _outputs(path, image) -> dict[str, np.ndarray]:
    session = onnxruntime.InferenceSession(path)
    names = [port.name for port in session.get_outputs()]
    (given,) = session.get_inputs()
    return dict(zip(names, session.run(None, {given.name: image}), strict=True))


def test_a_file_tells_what_it_is_and_gives_what_the_model_gives(point_model, tmp_path):
    write_onnx(point_model, tmp_path, ProgramForm(seed=2))
    graph = onnx.load(tmp_path / "classify.onnx")
    facts = {entry.key: json.loads(entry.value) for entry in graph.metadata_props}
    assert facts["noise"] == "constant, of seed 2" and facts["step"] == 7
    assert [c["name"] for c in facts["classes"]] == list(point_model.schema.names)
    onnx.checker.check_model(graph)
    point = np.asarray([[0.3, 0.1]], np.float32)
    expected = point_model.predict_semantics(point, jax.random.key(2))
    outputs = _outputs(tmp_path / "classify.onnx", point)
    np.testing.assert_array_equal(outputs["ids"], expected.labels)
    np.testing.assert_allclose(outputs["distances"], expected.distances, rtol=1e-5)


def test_many_weights_lie_in_a_file_beside(point_model, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_model, "_MOST_INSIDE", 0)
    write_onnx(point_model, tmp_path, ProgramForm())
    assert (tmp_path / "classify.onnx.data").stat().st_size > 100
    about = json.loads((tmp_path / "export.json").read_text(encoding="utf-8"))
    assert "classify.onnx.data" in about["files"]
    point = np.asarray([[0.3, 0.1]], np.float32)
    expected = point_model.classify(point, jax.random.key(0))
    assert _outputs(tmp_path / "classify.onnx", point)["ids"] == [int(label) for label in expected]


def test_a_bfloat16_network_computes_in_float32(point_model, drawn_model, tmp_path):
    experiment = point_model.experiment.changed({"network.dtype": "bfloat16"})
    model = drawn_model(experiment)
    write_onnx(model, tmp_path, ProgramForm())
    point = np.asarray([[0.3, 0.1]], np.float32)
    expected = point_model.predict_semantics(point, jax.random.key(0))
    outputs = _outputs(tmp_path / "classify.onnx", point)
    np.testing.assert_allclose(outputs["distances"], expected.distances, rtol=1e-5)


def test_what_cannot_be_exported_is_told(point_model, tmp_path, monkeypatch):
    from symmflow_jax.inference.export.onnx import operators

    with pytest.raises(CheckpointError, match="holds no checkpoints"):
        export_onnx(tmp_path / "none", tmp_path / "out")
    monkeypatch.delitem(operators.OPERATORS, "dot_general")
    message = "as ONNX, which has no form of the operation dot_general; give --format=stablehlo"
    with pytest.raises(ValueError, match=message):
        write_onnx(point_model, tmp_path / "out", ProgramForm())
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"run `pip install -e '\.\[onnx\]'`"):
        export_onnx(tmp_path / "none", tmp_path / "out")
    assert not (tmp_path / "out").exists()
