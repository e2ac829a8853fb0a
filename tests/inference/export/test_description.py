"""What an export says about itself."""

import json

import jax
import numpy as np

from symmflow_jax.inference.export import description
from symmflow_jax.inference.export.description import Artifact
from symmflow_jax.inference.export.programs import ProgramForm, programs
from symmflow_jax.runtime import files


def _described(model, **outputs):
    form = ProgramForm(num_steps=3, ensemble_size=2)
    shapes = {"ids": (5, 8, 8)} | outputs
    arrays = {name: jax.ShapeDtypeStruct(s, np.int32) for name, s in shapes.items()}
    artifacts = [Artifact(p, f"{p.name}.x", arrays) for p in programs(model, form)]
    values = description.describe(model, form, artifacts, format="X", batch=4)
    return json.loads(files.as_json(values))


def test_inputs_and_outputs_are_described(scene_model):
    values = _described(scene_model)
    assert (values["format"], values["step"], values["clocks"]) == ("X", 7, 2)
    schema = scene_model.schema
    assert [c["name"] for c in values["classes"]] == list(schema.names)
    segment = values["functions"]["segment"]
    assert (segment["num_steps"], segment["ensemble_size"]) == (3, 2)
    assert segment["input"] == {
        "kind": "image", "dtype": "uint8", "shape": [4, 8, 8, 3],
        "range": "8-bit pixels, 0 to 255", "mode": "RGB", "filter": "BICUBIC",
    }  # fmt: skip
    assert segment["outputs"] == {"ids": {"dtype": "int32", "shape": [4, 8, 8]}}
    given = values["functions"]["generate"]["input"]
    assert (given["ids"], given["filter"]) == (list(schema.raw_ids), "NEAREST")


def test_the_page_has_a_command_for_each_function(scene_model, point_model):
    page = description.readme(_described(scene_model), "run.py", "numpy")
    assert "    python run.py segment photo.png ids.png\n" in page
    assert "    python run.py generate mask.png image.png\n" in page
    page = description.readme(_described(point_model), "run.py", "numpy")
    assert "    python run.py classify 0.5,-0.2" in page
    assert all(name in page for name in point_model.schema.names)
