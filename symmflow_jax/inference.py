"""Inference on files: generate, segment and classify, from a folder into a folder."""

import csv
import logging
import pathlib
from collections.abc import Iterator, Sequence

import jax
import numpy as np
from PIL import Image

from symmflow_jax import pictures, run_folder
from symmflow_jax.data.picture_files import SUFFIXES, read_image, read_mask
from symmflow_jax.data.sources.source import DataError
from symmflow_jax.data.transforms import resize_image, resize_mask, to_channels
from symmflow_jax.model import Model

_logger = logging.getLogger(__name__)

_BATCH = 16


def generate_files(
    model: Model,
    conditions: str,
    output: pathlib.Path,
    *,
    seed: int,
    num_steps: int,
    num_samples: int,
) -> list[pathlib.Path]:
    """Writes PNGs made from labels or mask files, `<condition>_<sample>.png`.

    Args:
        model: the model.
        conditions: for a model of masks, a mask file or a folder of them; for a model of
            labels, names or numbers of classes separated by commas, or "" for every class.
        output: folder to write to.
        seed: origin of the noise.
        num_steps: Euler steps.
        num_samples: images of each condition.

    Raises:
        DataError: if there is no condition, or one cannot be read.
    """
    named = _mask_conditions(model, conditions) if model.reads_masks else _labels(model, conditions)
    requests = [(f"{name}_{n}", value) for name, value in named for n in range(num_samples)]
    written = []
    for index, batch in enumerate(_batches(requests)):
        values = _padded(np.stack([value for _, value in batch]))
        key = jax.random.fold_in(jax.random.key(seed), index)
        images = model.generate(values, key, num_steps)
        for (name, _), image in zip(batch, images, strict=False):
            path = output / f"{name}.png"
            run_folder.write_picture(path, image)
            written.append(path)
    _logger.info("Wrote %d images to %s.", len(written), output)
    return written


def segment_files(
    model: Model, images: str, output: pathlib.Path, *, seed: int, num_steps: int, num_draws: int
) -> list[pathlib.Path]:
    """Writes `<stem>.png`, a mask of the data set's ids, and `<stem>_overlay.png`.

    An image is resized to the model's size, its mask back to the image's by nearest pixels.

    Args:
        model: a model of masks.
        images: an image file or a folder of them.
        output: folder to write to.
        seed: origin of the noise.
        num_steps: Euler steps.
        num_draws: noises for each image, whose answers vote.

    Raises:
        DataError: if there is no image, or one cannot be read.
        ValueError: if the model reads labels.
    """
    written = []
    for index, paths in enumerate(_batches(_files(images))):
        originals = [read_image(path) for path in paths]
        inputs = _padded(np.stack([_to_model(model, image) for image in originals]))
        key = jax.random.fold_in(jax.random.key(seed), index)
        masks = model.segment(inputs, key, num_steps, num_draws=num_draws)
        for path, image, mask in zip(paths, originals, masks, strict=False):
            mask = resize_mask(mask, image.shape[:2])
            _write_ids(output / f"{path.stem}.png", model.schema.to_raw(mask))
            overlay = pictures.overlay(image, model.schema.colourize(mask))
            run_folder.write_picture(output / f"{path.stem}_overlay.png", overlay)
            written.append(output / f"{path.stem}.png")
    _logger.info("Wrote %d masks to %s.", len(written), output)
    return written


def classify_files(
    model: Model, images: str, output: pathlib.Path, *, seed: int, num_steps: int, num_draws: int
) -> pathlib.Path:
    """Writes a CSV with a line for each image.

    Columns: file; label (the data set's id) and its name; read_out, the continuous value in
    units of labels (or colour in 8-bit levels) from which it was read; distance_to_next, how
    far that is from the nearest other label; entropy of the vote in nats.

    Args:
        model: a model of labels.
        images: an image file or a folder of them.
        output: the CSV file, or a folder for `labels.csv`.
        seed, num_steps, num_draws: as in `segment_files`.

    Raises:
        DataError: if there is no image, or one cannot be read.
        ValueError: if the model reads masks.
    """
    if model.reads_masks:
        raise ValueError("This model reads masks, not labels; use --mode=segment.")
    path = output if output.suffix == ".csv" else output / "labels.csv"
    files = _files(images)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "label", "name", "read_out", "distance_to_next", "entropy"])
        for index, batch in enumerate(_batches(files)):
            key = jax.random.fold_in(jax.random.key(seed), index)
            writer.writerows(_classified(model, batch, key, num_steps, num_draws))
    _logger.info("Wrote %d labels to %s.", len(files), path)
    return path


def _classified(
    model: Model, paths: Sequence[pathlib.Path], key: jax.Array, num_steps: int, num_draws: int
) -> Iterator[list]:
    inputs = _padded(np.stack([_to_model(model, read_image(path)) for path in paths]))
    result = model.recognize(inputs, key, num_steps, num_draws=num_draws)
    labels = np.asarray(result.labels)
    read_out = np.asarray(model.flow.codec.encoding.read_out(result.signal))  # type: ignore[attr-defined]
    distances = np.array(model.flow.codec.encoding.distances(result.signal))  # type: ignore[attr-defined]
    distances[np.arange(len(labels)), labels] = np.inf
    for i, path in enumerate(paths):
        shown = " ".join(f"{value:.4f}" for value in np.atleast_1d(read_out[i]))
        yield [
            path.name,
            model.schema.raw_ids[labels[i]],
            model.schema.names[labels[i]],
            shown,
            f"{distances[i].min():.4f}",
            f"{result.entropy[i]:.4f}",
        ]


def _files(path_name: str) -> list[pathlib.Path]:
    """The picture itself, or the pictures of a folder in the order of their names."""
    path = pathlib.Path(path_name)
    if path_name and path.is_file():
        return [path]
    files = sorted(p for p in path.glob("*") if p.suffix.lower() in SUFFIXES) if path_name else []
    if not files:
        raise DataError(
            f"--input={path_name!r} is no picture and no folder with pictures "
            f"({', '.join(SUFFIXES)})."
        )
    return files


def _to_model(model: Model, image: np.ndarray) -> np.ndarray:
    height, width, channels = model.image_shape
    return resize_image(to_channels(image, channels), (height, width))


def _mask_conditions(model: Model, path: str) -> list[tuple[str, np.ndarray]]:
    height, width, _ = model.image_shape
    conditions = []
    for file in _files(path):
        mask = model.schema.from_raw(read_mask(file), str(file))
        conditions.append((file.stem, resize_mask(mask, (height, width))))
    return conditions


def _labels(model: Model, text: str) -> list[tuple[str, np.ndarray]]:
    """Classes by name or number; every class if the text is empty."""
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


def _batches(items: Sequence) -> Iterator[Sequence]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]


def _padded(array: np.ndarray) -> np.ndarray:
    """Repeats of the first element up to a full batch, so that one compilation serves all."""
    missing = _BATCH - len(array)
    return np.concatenate([array, np.repeat(array[:1], missing, axis=0)])


def _write_ids(path: pathlib.Path, ids: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    dtype = np.uint8 if ids.max(initial=0) < 256 else np.uint16
    Image.fromarray(ids.astype(dtype)).save(path)
