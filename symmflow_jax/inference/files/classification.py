"""A table of the labels of image files, with confidence and entropy."""

import csv
import logging
import pathlib
from collections.abc import Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.inference.compiled.predictions import UNSURE, SemanticsPrediction
from symmflow_jax.inference.files.image_io import batches, padded
from symmflow_jax.inference.files.inputs import Unreadable, image_paths
from symmflow_jax.inference.model import Model
from symmflow_jax.runtime import outputs
from symmflow_jax.runtime.errors import shown
from symmflow_jax.semantics.encoding import ClassEncoding

_logger = logging.getLogger(__name__)


def classify_files(
    model: Model,
    images: str,
    output: pathlib.Path,
    *,
    seed: int,
    num_steps: int,
    ensemble_size: int,
    solver: str = "euler",
    min_confidence: float = 0.0,
    overwrite: bool = False,
) -> pathlib.Path:
    """Classifies images and writes a CSV file with a row for each image.

    Columns:

    - file: name of the image file, in UTF-8; other bytes are escaped, such as `\\xe9`;
    - label and name: the data set's id of the class and its name, or nothing and "unsure";
    - read_out: the continuous prediction in units of labels (or a colour in 8-bit levels);
    - distance: distance of the draws from the code of the label, on average; the larger, the less
      sure (MedSymmFlow, arXiv 2507.19098);
    - distance_to_next: distance of the first draw from the nearest other label;
    - confidence, in [0, 1];
    - entropy: entropy in nats of the vote or of the probabilities;
    - p(<name>): probability of each class.

    One-hot encodings have probabilities and no read-out; the others have a read-out only.

    Args:
        model: a classification model.
        images: an image file or a folder of them.
        output: the CSV file, or a folder for `labels.csv`.
        seed: origin of the noise.
        num_steps: steps of the solver.
        ensemble_size: number of noise samples for each image; their predictions vote.
        solver: a name of `SOLVERS` (docs/choices.md).
        min_confidence: bound in [0, 1]; labels with a lower confidence are "unsure".
        overwrite: whether to replace a file that exists.

    Returns:
        the path of the CSV file.

    Raises:
        DataError: if there is no image; once the others are classified, if one cannot be read.
        OutputError: if the file exists, or cannot be written.
        ValueError: if the model segments, or if `min_confidence` is out of its range.
    """
    if model.reads_masks:
        raise ValueError("This model reads masks, not labels; use --mode=segment.")
    path = output if output.suffix.lower() == ".csv" else output / "labels.csv"
    paths = image_paths(images)
    outputs.check_outputs([path], paths, overwrite=overwrite)
    unreadable = Unreadable(len(paths))
    num_rows = 0
    with outputs.writing_text(path) as file:
        for image_path, _, result in _read(
            model, paths, seed, (solver, num_steps), ensemble_size, unreadable
        ):
            row = {"file": shown(image_path.name)} | _row(model, result, min_confidence)
            writer = csv.DictWriter(file, list(row))
            if not num_rows:
                writer.writeheader()
            writer.writerow(row)
            num_rows += 1
        if not num_rows:
            unreadable.raise_if_any(path)
    _logger.info("Wrote %d labels to %s.", num_rows, path)
    unreadable.raise_if_any(path)
    return path


def _read(
    model: Model,
    files: Sequence[pathlib.Path],
    seed: int,
    integration: tuple[str, int],
    ensemble_size: int,
    unreadable: Unreadable,
) -> Iterator[tuple[pathlib.Path, np.ndarray, SemanticsPrediction]]:
    """Paths, images and predictions of files, the latter as NumPy arrays of one example.

    `integration` is the name of a solver and its number of steps.
    """
    solver, num_steps = integration
    for index, paths in enumerate(batches(files)):
        originals = unreadable.read(paths, lambda path: (path, model.experiment.photos.read(path)))
        if not originals:
            continue
        inputs = [model.fitted(image) for _, image in originals]
        key = jax.random.fold_in(jax.random.key(seed), index)
        result = model.predict_semantics(
            padded(np.stack(inputs)), key, num_steps, solver, ensemble_size
        )
        result = jax.tree.map(np.asarray, result)
        for i, (path, image) in enumerate(originals):
            yield path, image, jax.tree.map(lambda array, i=i: array[i], result)


def _row(model: Model, result: SemanticsPrediction, min_confidence: float) -> dict[str, str | int]:
    """Cells of the CSV file for one example, by column."""
    label, schema = int(result.labels), model.schema
    is_sure = result.answers(min_confidence) != UNSURE
    row: dict[str, str | int] = {
        "label": schema.raw_ids[label] if is_sure else "",
        "name": schema.names[label] if is_sure else "unsure",
    }
    encoding = model.method.codec.encoding
    if isinstance(encoding, ClassEncoding):
        signal = jnp.asarray(result.signal)
        values = np.atleast_1d(encoding.decode_continuous(signal))
        others = np.delete(np.asarray(encoding.distances(signal)), label)
        row["read_out"] = " ".join(f"{value:.4f}" for value in values)
        if result.distances is not None:
            row["distance"] = f"{result.distances[label]:.4f}"
        row["distance_to_next"] = f"{others.min():.4f}"
    row["confidence"] = f"{result.confidence:.4f}"
    row["entropy"] = f"{result.entropy:.4f}"
    if result.probabilities is not None:
        for name, probability in zip(schema.names, result.probabilities, strict=True):
            row[f"p({name})"] = f"{probability:.4f}"
    return row
