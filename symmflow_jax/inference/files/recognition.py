"""Prediction of masks or labels for image files, with confidence and entropy."""

import collections
import csv
import logging
import math
import pathlib
from collections.abc import Iterable, Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from symmflow_jax.data.geometry.canvas import View
from symmflow_jax.data.source import DataError
from symmflow_jax.inference.canvas.reading import MaskReading
from symmflow_jax.inference.compiled.predictions import UNSURE, SemanticsPrediction
from symmflow_jax.inference.files.image_io import (
    BATCH_SIZE,
    batches,
    check_folder,
    output_names,
    padded,
)
from symmflow_jax.inference.files.inputs import Unreadable, image_paths
from symmflow_jax.inference.files.made import Made, write_ids, write_picture
from symmflow_jax.inference.model import Model
from symmflow_jax.inference.results.segmentation import check_unsure_id
from symmflow_jax.methods import requirements
from symmflow_jax.runs.pictures.grids import overlay as draw_overlay
from symmflow_jax.runtime import outputs
from symmflow_jax.runtime.errors import shown
from symmflow_jax.semantics.encoding import ClassEncoding, ProbabilityEncoding

_logger = logging.getLogger(__name__)

_MASK, _OVERLAY, _ENTROPY = ".png", "_overlay.png", "_entropy.png"
_PROBABILITIES = "_probabilities.npz"
_ENDINGS = (_MASK, _OVERLAY, _ENTROPY, _PROBABILITIES)


def segment_files(
    model: Model,
    images: str,
    output: pathlib.Path,
    *,
    seed: int,
    num_steps: int,
    ensemble_size: int,
    solver: str = "euler",
    min_confidence: float = 0.0,
    unsure_id: int = 255,
    probabilities: bool = False,
    view: View | None = None,
    overwrite: bool = False,
) -> list[pathlib.Path]:
    """Segments images; writes `<stem>.png`, a mask of the data set's ids, and `<stem>_overlay.png`.

    Where two images have one stem, such as cat.png and cat.jpg, or an image is called like an
    output of another one, the whole file name takes its place: `cat_png.png`, `cat_jpg.png`.

    Images have any size, and masks the size of their image. If there are several draws or
    probabilities, `<stem>_entropy.png` shows the entropy: black is 0, white is the logarithm of
    the number of classes.

    Args:
        model: a segmentation model.
        images: an image file or a folder of them.
        output: folder to write to.
        seed: origin of the noise.
        num_steps: steps of the solver.
        ensemble_size: number of noise samples for each image; their predictions vote.
        solver: a name of `SOLVERS` (docs/choices.md).
        min_confidence: bound in [0, 1]; pixels with a lower confidence get `unsure_id`, and no
            colour in the overlay.
        unsure_id: an id that no class has, below 65536.
        probabilities: whether to write `<stem>_probabilities.npz` too. It holds `probabilities`,
            float16 `[height, width, classes]` in the image's size, and the classes' `names`.
        view: how images are read (`Model.view`); by default in the geometry of the training.
        overwrite: whether to replace files that exist; images are always kept.

    Returns:
        the paths of the masks.

    Raises:
        DataError: if there is no image; after all others are segmented, if one cannot be read.
        OutputError: if a file exists or cannot be written, or if `output` is the images' folder.
        ValueError: if the model classifies; if an image cannot be read by this view; if
            `min_confidence` is out of its range; if
            `min_confidence` is positive and `unsure_id` is an id of a class or out of range; or
            if `probabilities` are requested but the encoding is not one-hot.
    """
    if not model.reads_masks:
        raise ValueError("This model reads labels, not masks; use --mode=classify.")
    if min_confidence > 0:
        check_unsure_id(model.schema, unsure_id, "--unsure_id")
    if probabilities:
        requirements.require_probabilities(model.method, "--probabilities")
    paths = image_paths(images)
    check_folder(output, images)
    endings = _endings(model, ensemble_size, probabilities)
    names = dict(zip(paths, output_names(paths, endings), strict=True))
    outputs.check_outputs(
        [output / f"{name}{ending}" for name in names.values() for ending in endings],
        paths,
        overwrite=overwrite,
    )
    _name_what_stays(output, names.values(), set(_ENDINGS) - set(endings))
    written = []
    unreadable = Unreadable(len(paths))
    ahead: collections.deque[pathlib.Path] = collections.deque()
    reader, view = model.reader, view or model.view()

    def read(path: pathlib.Path) -> Image.Image | np.ndarray:
        image = model.experiment.photos.read(path)
        try:
            reader.canvases(image, view)
        except ValueError as error:
            raise DataError(f"{path}: {error}") from error
        ahead.append(path)
        return image

    readings = reader.read(
        (image for path in paths for image in unreadable.read([path], read)),
        lambda number: _noise(seed, number),
        view,
        model.solver(solver, num_steps),
        ensemble_size,
        with_probabilities=probabilities,
    )
    for reading in readings:
        path, image = ahead.popleft(), np.asarray(reading.picture)
        stem, mask = output / names[path], reading.answers(min_confidence)
        unsure, mask = mask == UNSURE, np.maximum(mask, 0)
        mask_path = _with_ending(stem, _MASK)
        write_ids(mask_path, np.where(unsure, unsure_id, model.schema.to_raw(mask)), Made.MASK)
        picture = model.experiment.photos.picture(image)
        overlay = draw_overlay(picture, model.schema.colourize(mask))
        overlay = np.where(unsure[..., None], picture, overlay)
        write_picture(_with_ending(stem, _OVERLAY), overlay, Made.OVERLAY)
        if _ENTROPY in endings:
            grey = _grey(reading.entropy, model.schema.num_classes)
            write_ids(_with_ending(stem, _ENTROPY), grey, Made.ENTROPY)
        if _PROBABILITIES in endings:
            _write_probabilities(_with_ending(stem, _PROBABILITIES), model, reading)
        written.append(mask_path)
    _logger.info("Wrote %d masks to %s.", len(written), output)
    unreadable.raise_if_any(output)
    return written


def _endings(model: Model, ensemble_size: int, probabilities: bool) -> list[str]:
    """The endings of the files that are written for an image."""
    has_entropy = ensemble_size > 1 or isinstance(model.method.codec.encoding, ProbabilityEncoding)
    optional = {_ENTROPY: has_entropy, _PROBABILITIES: probabilities}
    return [_MASK, _OVERLAY, *(ending for ending, is_made in optional.items() if is_made)]


def _name_what_stays(output: pathlib.Path, names: Iterable[str], endings: Iterable[str]) -> None:
    """Logs the files of an earlier command that would pass for those of the masks to write."""
    paths = [output / f"{name}{ending}" for name in names for ending in endings]
    stays = [path for path in paths if path.exists()]
    if stays:
        _logger.warning(
            "Of an earlier command, not of the masks written now: %d files, such as %s.",
            len(stays), shown(stays[0]),
        )  # fmt: skip


def _with_ending(stem: pathlib.Path, ending: str) -> pathlib.Path:
    return stem.with_name(f"{stem.name}{ending}")


def _noise(seed: int, number: int) -> tuple[jax.Array, int]:
    """The origin of the noise of an image by its number."""
    group, index = divmod(number, BATCH_SIZE)
    return jax.random.fold_in(jax.random.key(seed), group), index


def _write_probabilities(path: pathlib.Path, model: Model, reading: MaskReading) -> None:
    outputs.write_arrays(
        path,
        probabilities=np.asarray(reading.probabilities),
        names=np.asarray(model.schema.names),
    )


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
        seed, num_steps, ensemble_size, solver: as in `segment_files`.
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


def _grey(entropy: np.ndarray, num_classes: int) -> np.ndarray:
    """Grey levels of an entropy in nats, int32: 0 for 0, 255 for the largest possible entropy."""
    return np.round(entropy / math.log(num_classes) * 255).clip(0, 255).astype(np.int32)
