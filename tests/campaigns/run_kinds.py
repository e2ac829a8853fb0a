"""Runs and models: checkpoints, resumed trainings, comparisons, and inputs of inference."""

import functools
import json
import pathlib
import shutil
import tempfile
from typing import Any

import jax
import numpy as np
from flax import traverse_util
from PIL import Image

import symmflow_jax
from symmflow_jax.evaluation.compare import compare
from symmflow_jax.inference.files.classification import classify_files
from symmflow_jax.inference.files.generation import generate_files
from symmflow_jax.inference.files.segmentation import segment_files
from symmflow_jax.inference.model import Model
from symmflow_jax.methods.weights import Weights
from symmflow_jax.runs.folder import read_history
from symmflow_jax.train import train_and_evaluate
from tests.campaigns import formats
from tests.campaigns.experiments import points, random_params, tiny
from tests.campaigns.kinds import Kind
from tests.campaigns.mutations import BYTES, Damage


def leaves(tree: Any) -> dict[str, np.ndarray]:
    """The arrays of nested parameters by path."""
    flat = traverse_util.flatten_dict(jax.device_get(tree), sep="/")
    return {name: np.asarray(array) for name, array in flat.items()}


def _form(value: Any) -> Any:
    """What a JSON value is, without what it says."""
    if isinstance(value, dict):
        # Keys that are missing are those that earlier versions did not know.
        return {key: _form(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_form(item) for item in value]
    return type(value).__name__ if not isinstance(value, int | float) else "number"


def _within(first: Any, second: Any) -> bool:
    """Tells if a form is another one, or has fewer keys or items."""
    if isinstance(first, dict) and isinstance(second, dict):
        return all(key in second and _within(first[key], second[key]) for key in first)
    if isinstance(first, list) and isinstance(second, list):
        return all(any(_within(one, other) for other in second) for one in first)
    return first == second


def other_setting(damage: Damage) -> str | None:
    """An excuse for JSON whose values are others of the same types, or are left out."""
    if damage.after is None:
        return None
    try:
        before, after = json.loads(damage.before), json.loads(damage.after)
    except ValueError:
        return None
    if _within(_form(after), _form(before)):
        return "a text without a checksum; another value of the same type is another setting"
    return None


def _text_for_nothing(damage: Damage) -> str | None:
    """An excuse for JSON in which a text stands where there was null, as many fields have it."""

    def fits(before: Any, after: Any) -> bool:
        if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
            return all(fits(before[key], after[key]) for key in before)
        if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
            return all(map(fits, before, after))
        return before == after or (before is None and isinstance(after, str))

    try:
        found = fits(json.loads(damage.before), json.loads(damage.after or b""))
    except ValueError:
        return None
    return "a field that may be null or a text has a text" if found else None


@functools.cache
def _trained() -> tempfile.TemporaryDirectory:
    """A run of a few steps, trained once."""
    folder = tempfile.TemporaryDirectory()
    train_and_evaluate(points(), pathlib.Path(folder.name) / "run")
    return folder


def _run(folder: pathlib.Path, variant: int) -> None:
    shutil.copytree(pathlib.Path(_trained().name) / "run", folder / "run")
    for events in (folder / "run").glob("events.*"):
        events.unlink()


def _load(folder: pathlib.Path, variant: int) -> dict[str, Any]:
    model = symmflow_jax.load(folder / "run", ("latest", "best")[variant])
    return {
        "weights": leaves(model.weights.network),
        "classes": json.loads(json.dumps(model.schema.to_json())),
        "step": model.step,
    }


def _resume(folder: pathlib.Path, variant: int) -> dict[str, Any]:
    table = train_and_evaluate(points(), folder / "run")
    return {
        "table": [[m.metric, m.class_name, m.value, m.protocol.train_step] for m in table],
        "history": read_history(folder / "run"),
        "model": _load(folder, variant),
    }


def _checkpoint_excuse(damage: Damage, difference: str) -> str | None:
    if damage.target.endswith(".jsonl") and _are_lines(damage.after or b""):
        return "a text without a checksum; every line is a valid one"
    return other_setting(damage)


def _are_lines(content: bytes) -> bool:
    """Tells if every line is one of a history."""
    try:
        lines = [json.loads(line) for line in content.splitlines()]
    except ValueError:
        return False
    return all(isinstance(line, dict) and isinstance(line.get("step"), int) for line in lines)


def _two_runs(folder: pathlib.Path, variant: int) -> None:
    run = pathlib.Path(_trained().name) / "run"
    for name in ("first", "second"):
        (folder / name / "pictures").mkdir(parents=True)
        for file in ("metrics.json", "pictures/examples.png"):
            shutil.copy(run / file, folder / name / file)


def _compare(folder: pathlib.Path, variant: int) -> dict[str, Any]:
    text = compare([folder / "first", folder / "second"], folder / "out")
    with Image.open(folder / "out" / "comparison.png") as picture:
        return {"text": text, "picture": np.asarray(picture)}


# Inference on files.


@functools.cache
def _model(encoding: str) -> Model:
    experiment = tiny(**{"semantics.encoding": encoding})
    return Model(experiment, Weights(random_params(experiment.method)), step=0)


def _photos(folder: pathlib.Path, variant: int) -> None:
    rng = np.random.default_rng(variant)
    (folder / "photos").mkdir()
    for number in range(3):
        pixels = rng.integers(0, 256, (9, 12, 3), np.uint8)
        Image.fromarray(pixels).save(
            folder / "photos" / f"photo_{number}.{('png', 'jpg')[variant]}"
        )


def _masks(folder: pathlib.Path, variant: int) -> None:
    rng = np.random.default_rng(variant)
    (folder / "masks").mkdir()
    raw_ids = np.asarray(_model("palette").schema.raw_ids, np.uint8)
    for number in range(3):
        ids = rng.choice(raw_ids, (9, 12))
        Image.fromarray(ids).save(folder / "masks" / f"mask_{number}.png")


def _outputs(folder: pathlib.Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".png":
            with Image.open(path) as picture:
                found[path.name] = np.asarray(picture)
        elif path.is_file():
            found[path.name] = path.read_text()
    return found


def _segment(folder: pathlib.Path, variant: int) -> dict[str, Any]:
    model = _model("palette")
    options = {"seed": 0, "num_steps": 1, "ensemble_size": 1}
    segment_files(model, str(folder / "photos"), folder / "out", **options)
    return _outputs(folder / "out")


def _classify(folder: pathlib.Path, variant: int) -> dict[str, Any]:
    model = _model("plane")
    options = {"seed": 0, "num_steps": 1, "ensemble_size": 1}
    classify_files(model, str(folder / "photos"), folder / "out", **options)
    return _outputs(folder / "out")


def _generate(folder: pathlib.Path, variant: int) -> dict[str, Any]:
    model = _model("palette")
    options = {"seed": 0, "num_steps": 1, "num_samples": 1}
    generate_files(model, str(folder / "masks"), folder / "out", **options)
    return _outputs(folder / "out")


def _input_excuse(damage: Damage, difference: str) -> str | None:
    if damage.mutation == "swapped":
        return "two files of one kind have changed places; each is valid"
    if damage.mutation == "removed":
        return "a folder with one file less is another, valid input"
    if damage.mutation == "other_suffix" and damage.names[-2].endswith((".png", ".jpg", ".bmp")):
        return "another name is the name of another, valid input"
    if damage.mutation in ("copied", "upper_case", "not_utf8"):
        return "another name is the name of another, valid input"
    if damage.target.endswith("jpg") and damage.mutation in BYTES:
        return "the format has no checksum of its pixels"
    if "photos" in damage.target and damage.mutation in ("other_size", "replaced"):
        return "a photo may have any size and format; what it shows is another, valid picture"
    if damage.target.endswith("png") and damage.mutation in ("other_size", "ids_beyond"):
        return "a mask or photo of another size or colour is another, valid input"
    return None


def _is_loaded(path: str) -> bool:
    """Tells if a model is loaded from a file, or could be."""
    parts = path.split("/")
    return "checkpoints" in parts and "2" not in parts and not {"training", "data"} & set(parts)


def _is_resumed(path: str) -> bool:
    """Tells if a training goes on from a file."""
    return "2" not in path.split("/") and "pictures" not in path


_CHECKPOINTS = ("checkpoints",)
_TEXTS = {
    "metadata": formats.JSON,
    "METADATA": formats.JSON,
    ".json": formats.JSON,
    ".jsonl": formats.LINES,
}
_PHOTOS = {".png": formats.PICTURES, ".jpg": formats.PICTURES}

KINDS: dict[str, Kind] = {
    "checkpoint, loaded": Kind(
        _run,
        _load,
        variants=2,
        share=3.0,
        damages=_TEXTS,
        names=_CHECKPOINTS,
        excuse=_checkpoint_excuse,
        targets=_is_loaded,
    ),
    "run, resumed": Kind(
        _run,
        _resume,
        share=1.5,
        damages=_TEXTS,
        names=_CHECKPOINTS,
        excuse=_checkpoint_excuse,
        targets=_is_resumed,
    ),
    "runs, compared": Kind(
        _two_runs,
        _compare,
        share=0.8,
        damages={".json": formats.JSON, ".png": formats.PICTURES},
        names=("first", "second"),
        excuse=lambda damage, difference: (
            other_setting(damage)
            or _text_for_nothing(damage)
            or (
                "two files of one kind have changed places"
                if damage.mutation == "swapped"
                else None
            )
            or (
                "any picture is a grid of examples"
                if damage.mutation in ("other_size", "replaced") and damage.target.endswith("png")
                else None
            )
        ),
    ),
    "photos, segmented": Kind(
        _photos,
        _segment,
        variants=2,
        share=1.0,
        damages=_PHOTOS,
        excuse=_input_excuse,
    ),
    "photos, classified": Kind(
        _photos,
        _classify,
        variants=2,
        share=0.6,
        damages=_PHOTOS,
        excuse=_input_excuse,
    ),
    "masks, to images": Kind(
        _masks,
        _generate,
        share=0.8,
        damages={".png": formats.MASKS},
        excuse=_input_excuse,
    ),
}
"""Runs, and inputs of trained models."""
