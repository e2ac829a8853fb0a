"""Generation of image files from mask files or labels."""

import logging
import pathlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import jax
import numpy as np

from symmflow_jax.data.geometry.canvas import View
from symmflow_jax.data.source import DataError
from symmflow_jax.flow.guidance import NO_GUIDANCE, Guidance
from symmflow_jax.inference.canvas.generation import generate_on_canvas
from symmflow_jax.inference.files.image_io import batches, check_folder, output_names, padded
from symmflow_jax.inference.files.inputs import Unreadable, image_paths
from symmflow_jax.inference.files.made import Made, write_picture
from symmflow_jax.inference.given.conditions import check_view, fitted_mask, read_condition
from symmflow_jax.inference.model import Model
from symmflow_jax.runtime import outputs

_logger = logging.getLogger(__name__)


def generate_files(
    model: Model,
    conditions: str,
    output: pathlib.Path,
    *,
    seed: int,
    num_steps: int,
    num_samples: int,
    solver: str = "euler",
    guidance: Guidance = NO_GUIDANCE,
    view: View | None = None,
    unsure_id: int = 255,
    overwrite: bool = False,
) -> list[pathlib.Path]:
    """Generates images from labels or mask files and writes `<condition>_<sample>.png`.

    Masks come to the model's size as in training, so a crop may leave out their sides. A view
    makes images of whole masks, which may be larger than the model's.

    Args:
        model: the model.
        conditions: for a segmentation model, a mask file or a folder of them, with ids or colours
            as in the data set (`read_condition`); for a classification model, names or numbers of
            classes separated by commas, or "" for every class.
        output: folder to write to.
        seed: origin of the noise.
        num_steps: steps of the solver.
        num_samples: number of images for each condition.
        solver: a name of `SOLVERS` (docs/choices.md).
        guidance: classifier-free guidance towards the conditions; none by default.
        view: how masks are shown (`Model.view`); None for images of the model's size.
        unsure_id: a further id of unknown pixels in masks, as `segment_files` writes it, unless a
            class has it. What is unknown is made up; the model must have learned from masks with
            unknown pixels.
        overwrite: whether to replace files that exist; conditions are always kept.

    Returns:
        the paths of the images.

    Raises:
        DataError: if there is no condition, or a label is unknown; after the images of all other
            conditions are written, if a mask cannot be read or has an unknown class.
        OutputError: if a file exists, or cannot be written.
        ValueError: if the guidance has a weight but the network has one clock for both
            components, or if a model of labels is given a view.
    """
    check_view(view, reads_masks=model.reads_masks)
    endings = [f"_{n}.png" for n in range(num_samples)]
    if model.reads_masks:
        found = _mask_conditions(model, conditions, output, endings, view, unsure_id, overwrite)
    else:
        found = _labels(model, conditions, output, endings, overwrite)
    requests = [
        (output / f"{name}{ending}", value) for name, value in found.named for ending in endings
    ]
    solve = model.solver(solver, num_steps)

    def on_canvas(mask: np.ndarray, noise: tuple[jax.Array, int], view: View) -> np.ndarray:
        return generate_on_canvas(model.method, model.weights, mask, noise, view, solve, guidance)

    for index, batch in enumerate(batches(requests)):
        key = jax.random.fold_in(jax.random.key(seed), index)
        values = [value for _, value in batch]
        images: Iterable[np.ndarray]
        if view is None:
            full = padded(np.stack(values))
            images = model.generate_arrays(full, key, num_steps, solver, guidance)
        else:
            images = (on_canvas(mask, (key, n), view) for n, mask in enumerate(values))
        for (path, _), image in zip(batch, images, strict=False):
            write_picture(path, model.experiment.photos.picture(image), Made.IMAGE)
    _logger.info("Wrote %d images to %s.", len(requests), output)
    found.unreadable.raise_if_any(output)
    return [path for path, _ in requests]


class _Conditions(NamedTuple):
    """Conditions with the names of their images, and files that hold none."""

    named: list[tuple[str, np.ndarray]]
    unreadable: Unreadable


def _mask_conditions(
    model: Model,
    text: str,
    output: pathlib.Path,
    endings: Sequence[str],
    view: View | None,
    unsure_id: int,
    overwrite: bool,
) -> _Conditions:
    paths = image_paths(text, reads=Made.MASK)
    check_folder(output, text)
    names = output_names(paths, endings)
    _check_outputs(output, names, endings, paths, overwrite)
    unreadable = Unreadable(len(paths))
    name_of = dict(zip(paths, names, strict=True))

    def read(path: pathlib.Path) -> tuple[str, np.ndarray]:
        mask = read_condition(path, model.schema, model.experiment.mask_colours, unsure_id)
        if view is None:
            mask = fitted_mask(mask, model.experiment.preparation, str(path))
        return name_of[path], mask

    return _Conditions(unreadable.read(paths, read), unreadable)


def _labels(
    model: Model, text: str, output: pathlib.Path, endings: Sequence[str], overwrite: bool
) -> _Conditions:
    numbers = _numbers(model, text)
    schema = model.schema
    names = outputs.distinct_names(
        [
            (file_name, f"{file_name}_{schema.raw_ids[number]}")
            for number in numbers
            for file_name in [outputs.file_name(schema.names[number])]
        ],
        endings,
    )
    _check_outputs(output, names, endings, [], overwrite)
    values = [np.asarray(number, np.int32) for number in numbers]
    return _Conditions(list(zip(names, values, strict=True)), Unreadable(len(numbers)))


def _check_outputs(
    output: pathlib.Path,
    names: Sequence[str],
    endings: Sequence[str],
    inputs: Sequence[pathlib.Path],
    overwrite: bool,
) -> None:
    paths = [output / f"{name}{ending}" for name in names for ending in endings]
    outputs.check_outputs(paths, inputs, overwrite=overwrite)


def _numbers(model: Model, text: str) -> list[int]:
    """Numbers of the classes that a text names or numbers; all classes if it is empty."""
    names = model.schema.names
    chosen = [part.strip() for part in text.split(",") if part.strip()] or list(names)
    unknown = [part for part in chosen if part not in names and not _is_class(part, names)]
    if unknown:
        raise DataError(
            f"--input names {', '.join(unknown)}; the model's classes are {', '.join(names)}."
        )
    if not text.strip():
        return list(range(len(names)))
    numbers = [names.index(part) if part in names else int(part) for part in chosen]
    twice = [number for number in numbers if numbers.count(number) > 1]
    if twice:
        raise DataError(
            f"--input names the class {names[twice[0]]!r} more than once; name it once, and give "
            "--num_samples for several images of it."
        )
    return numbers


def _is_class(text: str, names: Sequence[str]) -> bool:
    return text.isdecimal() and int(text) < len(names)
