"""Export of a model as StableHLO, for any size of a batch and several platforms."""

import importlib.util
import logging
import pathlib
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import export

from symmflow_jax.config.choices import listed
from symmflow_jax.inference import loading
from symmflow_jax.inference.export import description, export_folder, packed_weights, standalone
from symmflow_jax.inference.export.description import Artifact
from symmflow_jax.inference.export.programs import Program, ProgramForm, programs
from symmflow_jax.inference.model import Model

_logger = logging.getLogger(__name__)

PLATFORMS = ("cpu", "cuda", "rocm", "tpu")
"""The platforms of JAX that a program can be made for."""

WEIGHTS = "weights.npz"
SCRIPT = "run_stablehlo.py"


def export_stablehlo(
    workdir: pathlib.Path,
    path: pathlib.Path,
    checkpoint: str = "latest",
    form: ProgramForm | None = None,
    *,
    overwrite: bool = False,
) -> None:
    """Writes the functions of a run's model as StableHLO; see `write_stablehlo`.

    Raises:
        ValueError: as `write_stablehlo`; or if `flatbuffers` is not installed.
        OutputError: if the folder holds an export or cannot be written.
        CheckpointError: if there is no complete checkpoint, or it cannot be read.
    """
    form = form or ProgramForm()
    _check(form)
    export_folder.check(path, overwrite=overwrite)
    write_stablehlo(loading.load(workdir, checkpoint), path, form, overwrite=overwrite)


def write_stablehlo(
    model: Model, path: pathlib.Path, form: ProgramForm, *, overwrite: bool = False
) -> None:
    """Writes `<function>.stablehlo` for each function, the weights, and a script that runs them.

    A program is serialized by `jax.export` for all platforms at once, with a batch of any size. Its
    weights are an argument, and lie in one `.npz` file for all programs. Inside of a program they
    would be limited to the 2 GB of its file format, and each program would have its own copy.

    Args:
        model: the model.
        path: the folder to write.
        form: what the programs do, and their platforms.
        overwrite: whether to replace an export that exists.

    Raises:
        ValueError: if the model has no such function, or if there is guidance but one clock.
        OutputError: if the folder holds an export or cannot be written.
    """
    weights = packed_weights.pack(model.method, model.weights)
    contents: dict[str, bytes | Mapping[str, Any]] = {WEIGHTS: weights}
    artifacts = []
    for program in programs(model, form):
        exported = lowered(program, weights, form.platforms)
        outputs = jax.tree.unflatten(exported.out_tree, exported.out_avals)
        artifacts.append(Artifact(program, f"{program.name}.stablehlo", outputs))
        contents[artifacts[-1].file] = bytes(exported.serialize())
        _logger.info("Made %s for %s.", program.name, ", ".join(form.platforms))
    facts = description.describe(
        model, form, artifacts, format="StableHLO", platforms=list(form.platforms), weights=WEIGHTS
    )
    contents[SCRIPT] = standalone.source(SCRIPT)
    needs = "jax, flatbuffers, numpy and pillow"
    contents["README.md"] = description.readme(facts, SCRIPT, needs).encode()
    export_folder.write(path, contents, facts, overwrite=overwrite)
    _logger.info("Wrote %s of step %d to %s.", ", ".join(contents), model.step, path)


def lowered(
    program: Program, weights: Mapping[str, Any], platforms: tuple[str, ...]
) -> export.Exported:
    """A program for platforms, for any size of its batch.

    Args:
        program: the program.
        weights: its packed weights, of which only shapes and dtypes count.
        platforms: names of `PLATFORMS`.
    """
    (batch,) = export.symbolic_shape("batch")
    shapes = {name: jax.ShapeDtypeStruct(a.shape, a.dtype) for name, a in weights.items()}
    given = jax.ShapeDtypeStruct((batch, *program.shape), program.dtype)
    seed = jax.ShapeDtypeStruct((), jnp.uint32)
    return export.export(jax.jit(program.run), platforms=platforms)(shapes, given, seed)


def _check(form: ProgramForm) -> None:
    if not form.platforms:
        raise ValueError(f"--platforms is empty; choose from {listed(PLATFORMS)}.")
    for name in form.platforms:
        if name not in PLATFORMS:
            raise ValueError(f"--platforms holds {name!r}; choose from {listed(PLATFORMS)}.")
    if importlib.util.find_spec("flatbuffers") is None:
        raise ValueError(
            "JAX writes StableHLO with the package flatbuffers, which is not installed; run "
            "`pip install -e '.[stablehlo]'`."
        )
