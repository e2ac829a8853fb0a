"""Generation of image files from mask files or labels."""

import logging
import pathlib
from collections.abc import Sequence

import jax
import numpy as np

from symmflow_jax.data.masks.ids import read_mask
from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.segmentation.image_pairs import to_classes
from symmflow_jax.data.transforms import resize_mask
from symmflow_jax.flow.guidance import NO_GUIDANCE, Guidance
from symmflow_jax.inference.files.image_io import batches, image_paths, padded
from symmflow_jax.inference.model import Model
from symmflow_jax.runtime import files

_logger = logging.getLogger(__name__)


def generate_files(
    model: Model,
    conditions: str,
    output: pathlib.Path,
    *,
    seed: int,
    num_steps: int,
    num_samples: int,
    guidance: Guidance = NO_GUIDANCE,
) -> list[pathlib.Path]:
    """Generates images from labels or mask files and writes `<condition>_<sample>.png`.

    Args:
        model: the model.
        conditions: for a segmentation model, a mask file or a folder of them; for a
            classification model, names or numbers of classes separated by commas, or "" for every
            class.
        output: folder to write to.
        seed: origin of the noise.
        num_steps: Euler steps.
        num_samples: number of images for each condition.
        guidance: classifier-free guidance towards the conditions; none by default.

    Returns:
        the paths of the images.

    Raises:
        DataError: if there is no condition, or one cannot be read or has an unknown class.
        ValueError: if the guidance has a weight but the network has one clock for both
            components.
    """
    named = _mask_conditions(model, conditions) if model.reads_masks else _labels(model, conditions)
    requests = [(f"{name}_{n}", value) for name, value in named for n in range(num_samples)]
    written = []
    for index, batch in enumerate(batches(requests)):
        values = padded(np.stack([value for _, value in batch]))
        key = jax.random.fold_in(jax.random.key(seed), index)
        images = model.generate(values, key, num_steps, guidance=guidance)
        for (name, _), image in zip(batch, images, strict=False):
            path = output / f"{name}.png"
            files.write_image(path, image)
            written.append(path)
    _logger.info("Wrote %d images to %s.", len(written), output)
    return written


def _mask_conditions(model: Model, path: str) -> list[tuple[str, np.ndarray]]:
    height, width, _ = model.image_shape
    conditions = []
    for file in image_paths(path):
        mask = to_classes(read_mask(file), model.schema, file, classes_are_fixed=True)
        conditions.append((file.stem, resize_mask(mask, (height, width))))
    return conditions


def _labels(model: Model, text: str) -> list[tuple[str, np.ndarray]]:
    """Names and numbers of the classes in a text; all classes if it is empty."""
    names = model.schema.names
    chosen = [part.strip() for part in text.split(",") if part.strip()] or list(names)
    unknown = [part for part in chosen if part not in names and not _is_class(part, names)]
    if unknown:
        raise DataError(
            f"--input names {', '.join(unknown)}; the model's classes are {', '.join(names)}."
        )
    numbers = [names.index(part) if part in names else int(part) for part in chosen]
    return [(names[number], np.asarray(number, np.int32)) for number in numbers]


def _is_class(text: str, names: Sequence[str]) -> bool:
    return text.isdecimal() and int(text) < len(names)
