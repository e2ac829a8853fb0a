"""Exports of a config's model beside the model itself: differences, sizes and times."""

import functools
import json
import logging
import pathlib
import tempfile
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.inference.export.export_folder import DESCRIPTION
from symmflow_jax.inference.export.programs import ProgramForm, recognition_name
from symmflow_jax.inference.export.stablehlo import WEIGHTS, write_stablehlo
from symmflow_jax.inference.model import Model
from symmflow_jax.methods.weights import Weights
from symmflow_jax.performance import workloads
from symmflow_jax.performance.timing import Task, alternate

_logger = logging.getLogger(__name__)

_NUM_IMAGES = 8
_OURS = "JAX, the model itself"

Recognize = Callable[[np.ndarray], dict[str, np.ndarray]]
"""One step of recognition of one image `[1, ...]`, to the outputs by name."""


class Row(NamedTuple):
    """A form of the model.

    Attributes:
        name: its name.
        num_bytes: bytes of its files; 0 for the model itself.
        num_other_ids: ids, of all images, that are not those of the model.
        num_ids: ids of all images.
        difference: largest difference from an output of the model.
        seconds: median seconds of one step of one image.
    """

    name: str
    num_bytes: int
    num_other_ids: int
    num_ids: int
    difference: float
    seconds: float


def measure(experiment: Experiment, num_rounds: int) -> list[Row]:
    """Exports a model of random weights, and compares one step of recognition.

    Args:
        experiment: the experiment.
        num_rounds: number of timed calls of each form, which take turns.

    Returns:
        the model itself, StableHLO, and ONNX if its packages are installed.
    """
    subject = workloads.subject(experiment, _NUM_IMAGES)
    model = random_model(subject.experiment)
    images = np.asarray(subject.batch.image.values)
    with tempfile.TemporaryDirectory() as text:
        folder = pathlib.Path(text)
        forms: dict[str, Recognize] = {_OURS: _itself(model)}
        sizes = {_OURS: 0}
        for name, make in {"StableHLO": _stablehlo, "ONNX": _onnx}.items():
            try:
                forms[name] = make(model, folder / name)
            except ImportError as error:
                _logger.info("%s is left out: %s; `pip install -e '.[onnx]'`.", name, error)
                continue
            about = json.loads((folder / name / DESCRIPTION).read_text(encoding="utf-8"))
            sizes[name] = sum(about["files"].values())
        results = {name: [run(image[None]) for image in images] for name, run in forms.items()}
        tasks: dict[str, Task] = {
            name: functools.partial(run, images[:1]) for name, run in forms.items()
        }
        seconds = alternate(tasks, num_rounds)
    return [_row(name, sizes[name], results, seconds[name]) for name in forms]


def random_model(experiment: Experiment) -> Model:
    """A model of random weights, none of them zero: a fresh network would predict zeros."""
    method, rng = experiment.method, np.random.default_rng(0)
    key = jax.random.key(0)
    shapes = jax.eval_shape(lambda: Weights(method.init(key), method.codec.init(key)))

    def draw(path: tuple[Any, ...], leaf: jax.ShapeDtypeStruct) -> np.ndarray:
        fan_in = int(np.prod(leaf.shape[:-1])) if len(leaf.shape) > 1 else 100
        noise = rng.standard_normal(leaf.shape, np.float32) / np.float32(np.sqrt(fan_in))
        return noise + np.float32("scale" in jax.tree_util.keystr(path))

    return Model(experiment, jax.tree_util.tree_map_with_path(draw, shapes), step=0)


def _itself(model: Model) -> Recognize:
    placed = Model(model.experiment, jax.device_put(model.weights), model.step)

    def run(image: np.ndarray) -> dict[str, np.ndarray]:
        result = jax.device_get(placed.predict_semantics(image, jax.random.key(0)))
        return result._asdict() | {"ids": model.schema.to_raw(result.labels)}

    return run


def _stablehlo(model: Model, folder: pathlib.Path) -> Recognize:
    name = recognition_name(model)
    write_stablehlo(model, folder, ProgramForm(functions=(name,)))
    content = (folder / f"{name}.stablehlo").read_bytes()
    program = jax.jit(jax.export.deserialize(bytearray(content)).call)
    weights = jax.device_put(dict(np.load(folder / WEIGHTS)))
    return lambda image: jax.device_get(program(weights, image, jnp.uint32(0)))


def _onnx(model: Model, folder: pathlib.Path) -> Recognize:
    import onnxruntime

    from symmflow_jax.inference.export.onnx_model import write_onnx

    write_onnx(model, folder, ProgramForm())
    session = onnxruntime.InferenceSession(folder / f"{recognition_name(model)}.onnx")
    names = [port.name for port in session.get_outputs()]
    (given,) = session.get_inputs()
    return lambda image: dict(zip(names, session.run(names, {given.name: image}), strict=True))


def _row(
    name: str, num_bytes: int, results: dict[str, list[dict[str, np.ndarray]]], seconds: float
) -> Row:
    other = num_ids = 0
    difference = 0.0
    for outputs, expected in zip(results[name], results[_OURS], strict=True):
        num_ids += expected["ids"].size
        other += int(np.sum(outputs["ids"] != expected["ids"]))
        for key in ("confidence", "entropy", "probabilities", "distances"):
            if outputs.get(key) is not None:
                difference = max(difference, float(np.max(np.abs(outputs[key] - expected[key]))))
    return Row(name, num_bytes, other, num_ids, difference, seconds)
