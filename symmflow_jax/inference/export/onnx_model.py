"""Export of a one-step segmenter or classifier as ONNX."""

import importlib.util
import logging
import pathlib
import tempfile
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from symmflow_jax.inference import loading
from symmflow_jax.inference.export import description, export_folder, packed_weights, standalone
from symmflow_jax.inference.export.description import Artifact
from symmflow_jax.inference.export.programs import ProgramForm, recognizer
from symmflow_jax.inference.model import Model
from symmflow_jax.methods.weights import Weights
from symmflow_jax.runtime import files

_logger = logging.getLogger(__name__)

SCRIPT = "run_onnx.py"
_MOST_INSIDE = 2**30
"""Bytes of weights that a file may hold itself; its format ends at 2 GB."""


def export_onnx(
    workdir: pathlib.Path,
    path: pathlib.Path,
    checkpoint: str = "latest",
    form: ProgramForm | None = None,
    *,
    overwrite: bool = False,
) -> None:
    """Writes the one-step segmenter or classifier of a run as ONNX; see `write_onnx`.

    Raises:
        ValueError: as `write_onnx`; or if `onnx` is not installed.
        OutputError: if the folder holds an export or cannot be written.
        CheckpointError: if there is no complete checkpoint, or it cannot be read.
    """
    if importlib.util.find_spec("onnx") is None:
        raise ValueError("ONNX is written by the package onnx; run `pip install -e '.[onnx]'`.")
    export_folder.check(path, overwrite=overwrite)
    loaded = loading.load(workdir, checkpoint)
    write_onnx(loaded, path, form or ProgramForm(), overwrite=overwrite)


def write_onnx(
    model: Model, path: pathlib.Path, form: ProgramForm, *, overwrite: bool = False
) -> None:
    """Writes `segment.onnx` or `classify.onnx`, and a script that runs it.

    The graph takes one image. ONNX has no random numbers of JAX, so the noise of the form's seed is
    a constant in it: the outputs are those of `Model.predict_semantics` for a single image with
    the key of the seed. A network that computes in bfloat16 does so in float32 here, since
    onnxruntime has no convolutions of bfloat16. Weights of more than 1 GB lie in a file beside.

    Args:
        model: the model.
        path: the folder to write.
        form: the seed, the number of steps and of noise samples.
        overwrite: whether to replace an export that exists.

    Raises:
        ValueError: if the network has an operation without a form in ONNX.
        OutputError: if the folder holds an export or cannot be written.
    """
    from symmflow_jax.inference.export.onnx.conversion import convert

    model = _in_float32(model)
    program = recognizer(model, form)
    weights = packed_weights.pack(model.method, model.weights)
    given = jax.ShapeDtypeStruct((1, *program.shape), program.dtype)

    def run(images: jax.Array) -> dict[str, jax.Array]:
        return program.run(weights, images, np.uint32(form.seed))

    file = f"{program.name}.onnx"
    outputs = jax.eval_shape(run, given)
    facts = description.describe(
        model,
        form,
        [Artifact(program, file, outputs)],
        format="ONNX",
        noise=f"constant, of seed {form.seed}",
        batch=1,
    )
    metadata = {key: files.as_json(facts[key]) for key in ("step", "classes", "noise", "functions")}
    try:
        graph = convert(run, program.name, given, program.kind.value, metadata)
    except NotImplementedError as error:
        raise ValueError(
            f"The network of this run cannot be written as ONNX, which has no form of {error}; "
            "give --format=stablehlo."
        ) from error
    contents = _files(graph, file, sum(array.nbytes for array in weights.values()))
    contents[SCRIPT] = standalone.source(SCRIPT)
    needs = "onnxruntime, numpy and pillow"
    contents["README.md"] = description.readme(facts, SCRIPT, needs).encode()
    export_folder.write(path, contents, facts, overwrite=overwrite)
    _logger.info("Wrote %s of step %d to %s.", ", ".join(contents), model.step, path)


def _in_float32(model: Model) -> Model:
    """The model with networks that compute in float32."""
    keys = ("network.dtype", "autoencoder.dtype")
    if model.method.network.dtype == np.float32 and model.method.codec.dtype == np.float32:
        return model
    _logger.info("The network computes in bfloat16, and in float32 as ONNX.")
    experiment = model.experiment.changed(dict.fromkeys(keys, "float32"))
    weights = jax.tree.map(lambda leaf: np.asarray(leaf, np.float32), model.weights)
    return Model(experiment, Weights(*weights), model.step)


def _files(graph: Any, file: str, num_bytes: int) -> dict[str, bytes | Mapping[str, Any]]:
    """The bytes of the model's file, and of that of its weights if they are too many for one."""
    import onnx

    if num_bytes <= _MOST_INSIDE:
        return {file: graph.SerializeToString()}
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / file
        onnx.save_model(graph, path, save_as_external_data=True, location=f"{file}.data")
        return {name: (path.parent / name).read_bytes() for name in (file, f"{file}.data")}
