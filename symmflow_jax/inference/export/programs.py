"""Functions of an exported model: pixels or ids go in, ids or pixels come out."""

import dataclasses
import enum
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.data.batch import Pixels, Points
from symmflow_jax.flow.guidance import NO_GUIDANCE, Guidance
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.inference.compiled.predictions import SemanticsPrediction
from symmflow_jax.inference.export import packed_weights
from symmflow_jax.inference.model import Model
from symmflow_jax.semantics.labels import LabelSchema

GENERATE, SEGMENT, CLASSIFY = "generate", "segment", "classify"

Arrays = Mapping[str, Any]
"""Arrays by name."""


class InputKind(enum.StrEnum):
    """The kind of a program's input."""

    IMAGE = "image"
    POINT = "point"
    MASK = "mask"
    LABEL = "label"


@dataclasses.dataclass(frozen=True)
class ProgramForm:
    """What the programs of an export do, and for which platforms.

    Attributes:
        functions: names of the functions to export; empty for all that the model has.
        solver: the solver of all functions, a name of `SOLVERS` (docs/choices.md).
        num_steps: its steps; None for 25 to generate and 1 to segment or classify. Adaptive solvers
            have none.
        tolerance: tolerance of adaptive solvers; None for that of the run.
        ensemble_size: noise samples for each image; their predictions vote.
        guidance: guidance of generated images.
        platforms: names of the platforms of JAX.
        seed: origin of the noise, for formats that keep it.
    """

    functions: tuple[str, ...] = ()
    solver: str = "euler"
    num_steps: int | None = None
    tolerance: float | None = None
    ensemble_size: int = 1
    guidance: Guidance = NO_GUIDANCE
    platforms: tuple[str, ...] = ("cpu", "cuda", "tpu")
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class Program:
    """A function of packed weights, a batch and a seed.

    Attributes:
        name: `GENERATE`, `SEGMENT` or `CLASSIFY`.
        run: from packed weights (see `packed_weights`), the input `[batch, *shape]` and a seed,
            uint32 `[]`, to the outputs by name, `[batch, ...]`.
        kind: kind of the input.
        shape: shape of one input.
        dtype: dtype of the input.
        num_steps: steps of the solver; None if it is adaptive.
    """

    name: str
    run: Callable[[Arrays, Any, Any], dict[str, jax.Array]]
    kind: InputKind
    shape: tuple[int, ...]
    dtype: np.dtype
    num_steps: int | None


def recognition_name(model: Model) -> str:
    """The function that reads images: `SEGMENT` or `CLASSIFY`."""
    return SEGMENT if model.reads_masks else CLASSIFY


def programs(model: Model, form: ProgramForm) -> list[Program]:
    """The programs of a model that a form asks for.

    Raises:
        ValueError: if the model has no such function.
    """
    makers: dict[str, Callable[[Model, ProgramForm], Program]] = {}
    if model.method.time_sampling.learns_images:
        makers[GENERATE] = generator
    if model.method.time_sampling.learns_semantics:
        makers[recognition_name(model)] = recognizer
    for name in form.functions:
        if name not in makers:
            raise ValueError(
                f"--functions holds {name!r}; this model can {' and '.join(makers)}. Leave the "
                f"flag out for {'both' if len(makers) > 1 else 'that'}."
            )
    wanted = form.functions or tuple(makers)
    return [make(model, form) for name, make in makers.items() if name in wanted]


def recognizer(model: Model, form: ProgramForm) -> Program:
    """The program that segments or classifies; its outputs are those of `recognized`.

    With the seed s it gives what `Model.predict_semantics` gives with the key of s.
    """
    _check_pictures(model)
    num_steps, solve = _solver(model, form, 1)
    is_point = len(model.image_shape) == 1
    images_of = Points if is_point else Pixels

    def run(weights: Arrays, images: jax.Array, seed: jax.Array) -> dict[str, jax.Array]:
        result = predictions.predict_semantics(
            model.method,
            packed_weights.unpack(weights),
            _key(seed),
            jnp.arange(images.shape[0]),
            images_of(images),
            solve,
            form.ensemble_size,
        )
        return recognized(model.schema, result)

    return Program(
        recognition_name(model),
        run,
        InputKind.POINT if is_point else InputKind.IMAGE,
        model.image_shape,
        np.dtype(np.float32 if is_point else np.uint8),
        num_steps,
    )


def _check_pictures(model: Model) -> None:
    """Raises ValueError for a model of images that 8-bit inputs cannot hold."""
    if model.experiment.photos.photos is not None:
        raise ValueError(
            f"This model reads images of {model.image_shape[2]} channels and "
            f"{model.experiment.data.image_depth} bits, and an export takes images of 8 bits "
            "in grey or colour. Give --functions=generate, or call the model in Python."
        )


def recognized(schema: LabelSchema, result: SemanticsPrediction) -> dict[str, jax.Array]:
    """The outputs of a recognizer.

    Args:
        schema: the classes.
        result: the prediction of a batch.

    Returns:
        "ids", int32, the ids of the data set's files; "confidence" and "entropy", float32, shaped
        as the ids; and where the encoding has them "probabilities" `[..., classes]`, or
        "distances" from the code of each class.
    """
    outputs = {
        "ids": jnp.asarray(schema.raw_ids, jnp.int32)[result.labels],
        "confidence": result.confidence,
        "entropy": result.entropy,
        "probabilities": result.probabilities,
        "distances": result.distances,
    }
    return {name: array for name, array in outputs.items() if array is not None}


def generator(model: Model, form: ProgramForm) -> Program:
    """The program that makes "images" of ids.

    They are uint8 `[batch, height, width, channels]`, or float32 points. With the seed s it gives
    what `Model.generate` gives with the key of s. An example with an id that no class has becomes
    black, or NaN if it is a point, since a program cannot raise an error.
    """
    num_steps, solve = _solver(model, form, 25)

    def run(weights: Arrays, ids: jax.Array, seed: jax.Array) -> dict[str, jax.Array]:
        classes, is_known = _classes(model.schema, ids)
        images = predictions.generate(
            model.method,
            packed_weights.unpack(weights),
            _key(seed),
            jnp.arange(ids.shape[0]),
            classes,
            solve,
            form.guidance,
        ).images
        is_point = jnp.issubdtype(images.dtype, jnp.floating)
        missing = jnp.full_like(images, jnp.nan if is_point else 0)
        is_known = jnp.reshape(is_known, (-1, *(1 for _ in images.shape[1:])))
        return {"images": jnp.where(is_known, images, missing)}

    shape = model.image_shape[:-1] if model.reads_masks else ()
    kind = InputKind.MASK if model.reads_masks else InputKind.LABEL
    return Program(GENERATE, run, kind, shape, np.dtype(np.int32), num_steps)


def _solver(model: Model, form: ProgramForm, default: int) -> tuple[int | None, Solve]:
    num_steps, experiment = form.num_steps or default, model.experiment
    if form.tolerance is not None:
        experiment = experiment.with_tolerance(form.tolerance)
    solve = experiment.solver(form.solver, num_steps)
    return None if experiment.is_adaptive(form.solver) else num_steps, solve


def _key(seed: jax.Array) -> jax.Array:
    # Whatever JAX's default is where the program is exported.
    return jax.random.key(seed, impl="threefry2x32")


def _classes(schema: LabelSchema, ids: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The classes of ids, int32, and whether all ids of an example, bool `[batch]`, have one."""
    known = jnp.asarray(schema.known_ids, jnp.int32)
    numbers = jnp.asarray(schema.from_raw(np.asarray(schema.known_ids), "the schema"), jnp.int32)
    matches = ids[..., None] == jnp.reshape(known, (1,) * ids.ndim + known.shape)
    is_known = jnp.any(matches, axis=-1)
    axes = tuple(range(1, ids.ndim))
    return numbers[jnp.argmax(matches, axis=-1)], jnp.all(is_known, axis=axes)
