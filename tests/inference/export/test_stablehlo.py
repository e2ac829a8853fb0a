"""Programs for several platforms and any size of a batch."""

import importlib.util
import json

import jax
import numpy as np
import pytest

from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.inference.export import stablehlo
from symmflow_jax.inference.export.programs import ProgramForm
from symmflow_jax.inference.export.stablehlo import export_stablehlo, write_stablehlo
from symmflow_jax.runtime.errors import CheckpointError
from symmflow_jax.runtime.outputs import OutputError


def test_one_program_serves_all_platforms_and_sizes_of_a_batch(point_model, tmp_path):
    write_stablehlo(point_model, tmp_path, ProgramForm())
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "README.md", "classify.stablehlo", "export.json", "generate.stablehlo",
        "run_stablehlo.py", "weights.npz",
    ]  # fmt: skip
    content = (tmp_path / "classify.stablehlo").read_bytes()
    program = jax.export.deserialize(bytearray(content))
    assert program.platforms == ("cpu", "cuda", "tpu")
    weights = dict(np.load(tmp_path / "weights.npz"))
    # No weights are inside.
    kernel = np.asarray(point_model.weights.network["dense_1"]["kernel"]).tobytes()
    assert kernel not in content
    for size in (1, 3):
        points = np.random.default_rng(size).standard_normal((size, 2), np.float32)
        outputs = program.call(weights, points, np.uint32(9))
        expected = point_model.predict_semantics(points, jax.random.key(9))
        np.testing.assert_array_equal(outputs["ids"], expected.labels)
        np.testing.assert_allclose(outputs["confidence"], expected.confidence, atol=1e-6)
    about = json.loads((tmp_path / "export.json").read_text(encoding="utf-8"))
    assert (about["step"], about["platforms"]) == (7, ["cpu", "cuda", "tpu"])
    assert about["functions"]["classify"]["input"]["shape"] == ["batch", 2]
    with pytest.raises(OutputError, match="holds another export"):
        write_stablehlo(point_model, tmp_path, ProgramForm())


@pytest.mark.parametrize("solver", ["heun", "dopri5"])
def test_any_solver_of_the_flow_serves_all_sizes_of_a_batch(point_model, solver):
    form = ProgramForm(functions=("generate",), solver=solver, num_steps=2)
    program = stablehlo.programs(point_model, form)[0]
    weights = stablehlo.packed_weights.pack(point_model.method, point_model.weights)
    exported = stablehlo.lowered(program, weights, ("cpu",))
    made = exported.call(weights, np.asarray([1, 0, 1], np.int32), np.uint32(2))["images"]
    expected = point_model.generate_arrays([1, 0, 1], jax.random.key(2), num_steps=2, solver=solver)
    np.testing.assert_allclose(made, expected, atol=1e-5)


def test_attention_of_many_tokens_has_no_fixed_batch(tiny_experiment, drawn_model):
    model = drawn_model(tiny_experiment(**{"data.image_size": (16, 16)}))
    program = stablehlo.programs(model, ProgramForm(functions=("segment",)))[0]
    weights = stablehlo.packed_weights.pack(model.method, model.weights)
    exported = stablehlo.lowered(program, weights, ("tpu",))
    assert str(exported.in_avals[-2].shape[0]) == "batch"


def test_what_cannot_be_exported_is_told(point_model, tmp_path, monkeypatch):
    def refused(*arguments, **form):
        export_stablehlo(tmp_path / "none", tmp_path / "out", "latest", ProgramForm(**form))

    with pytest.raises(ValueError, match="--platforms holds 'gpu'; choose from cpu, cuda, rocm"):
        refused(platforms=("cpu", "gpu"))
    with pytest.raises(ValueError, match="--platforms is empty"):
        refused(platforms=())
    with pytest.raises(CheckpointError, match="holds no checkpoints"):
        refused()
    with pytest.raises(ValueError, match="Guidance needs a network with a clock for each"):
        write_stablehlo(point_model, tmp_path / "out", ProgramForm(guidance=Guidance(2.0)))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"run `pip install -e '\.\[stablehlo\]'`"):
        refused()
    assert not (tmp_path / "out").exists()
