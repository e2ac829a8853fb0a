"""What an export says about itself: for its scripts, for other programs, and for readers."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax

import symmflow_jax
from symmflow_jax.inference.export.programs import InputKind, Program, ProgramForm
from symmflow_jax.inference.model import Model

_RANGES = {
    InputKind.IMAGE: "8-bit pixels, 0 to 255",
    InputKind.POINT: "coordinates, as in the data",
    InputKind.MASK: "ids of classes, one for each pixel",
    InputKind.LABEL: "ids of classes, one for each example",
}


class Artifact(NamedTuple):
    """A program in the file of an export.

    Attributes:
        program: the program.
        file: name of its file.
        outputs: shape and dtype of each output, with an open size of the batch.
    """

    program: Program
    file: str
    outputs: Mapping[str, Any]


def describe(
    model: Model,
    form: ProgramForm,
    artifacts: list[Artifact],
    batch: int | str = "batch",
    **facts: Any,
) -> dict[str, Any]:
    """The values of `export.json`.

    Args:
        model: the model.
        form: the form of its programs.
        artifacts: the programs.
        batch: size of a batch, or a name for any size.
        **facts: what is particular to the format, such as `platforms`.
    """
    schema = model.schema
    values = {
        "made_by": f"symmflow_jax {symmflow_jax.__version__}",
        "jax": jax.__version__,
        "step": model.step,
        "clocks": model.method.time_sampling.num_clocks,
        "classes": [
            {"id": raw_id, "name": name, "colour": list(colour)}
            for raw_id, name, colour in zip(
                schema.raw_ids, schema.names, schema.palette, strict=True
            )
        ],
        "functions": {a.program.name: _function(model, form, a, batch) for a in artifacts},
    }
    return facts | values


def _function(
    model: Model, form: ProgramForm, artifact: Artifact, batch: int | str
) -> dict[str, Any]:
    program = artifact.program
    given = {
        "kind": program.kind.value,
        "dtype": program.dtype.name,
        "shape": [batch, *program.shape],
        "range": _RANGES[program.kind],
    }
    if program.kind is InputKind.IMAGE:
        # As Pillow calls them.
        given["mode"] = "L" if program.shape[-1] == 1 else "RGB"
        given["filter"] = model.experiment.preparation.resampling.name
    if program.kind is InputKind.MASK:
        given["filter"] = "NEAREST"
    if program.kind in (InputKind.MASK, InputKind.LABEL):
        given["ids"] = sorted(model.schema.known_ids)
    return {
        "file": artifact.file,
        "solver": form.solver,
        "num_steps": program.num_steps,
        "ensemble_size": form.ensemble_size if "ids" in artifact.outputs else 1,
        "guidance": "" if "ids" in artifact.outputs else str(form.guidance),
        "input": given,
        "outputs": {
            name: {"dtype": str(array.dtype), "shape": [batch, *array.shape[1:]]}
            for name, array in artifact.outputs.items()
        },
    }


def readme(description: Mapping[str, Any], script: str, needs: str) -> str:
    """A page on an export, in Markdown.

    Args:
        description: the values of `export.json`.
        script: name of the script that runs it.
        needs: the packages that the script needs.
    """
    rows = []
    for name, function in description["functions"].items():
        kind = function["input"]["kind"]
        given = {"image": "photo.png", "mask": "mask.png", "point": "0.5,-0.2"}.get(
            kind, str(description["classes"][0]["id"])
        )
        result = "ids.png" if kind == "image" and name == "segment" else "image.png"
        rows.append(f"    python {script} {name} {given} {result}")
    names = ", ".join(f"{c['id']} {c['name']}" for c in description["classes"])
    commands = "\n".join(rows)
    return (
        f"# {description['format']} of a symmetrical flow, step {description['step']}\n\n"
        f"Needs {needs}, and not the package that made it:\n\n{commands}\n\n"
        f"Classes (id and name): {names}.\n\n"
        "`export.json` has the shapes, dtypes and ranges of inputs and outputs.\n"
    )
