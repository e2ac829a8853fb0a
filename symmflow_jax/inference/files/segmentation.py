"""Masks of image files, with overlays, entropy and probabilities."""

import collections
import logging
import math
import pathlib
from collections.abc import Iterable, Iterator

import jax
import numpy as np
from PIL import Image

from symmflow_jax.data.geometry.canvas import View
from symmflow_jax.data.source import DataError
from symmflow_jax.inference.canvas.reading import MaskReading
from symmflow_jax.inference.compiled.predictions import UNSURE
from symmflow_jax.inference.files.image_io import (
    BATCH_SIZE,
    check_folder,
    output_names,
)
from symmflow_jax.inference.files.inputs import Unreadable, image_paths
from symmflow_jax.inference.files.made import Made, write_ids, write_picture
from symmflow_jax.inference.model import Model
from symmflow_jax.inference.results.segmentation import check_unsure_id
from symmflow_jax.methods import requirements
from symmflow_jax.runs.pictures.grids import overlay as draw_overlay
from symmflow_jax.runtime import outputs
from symmflow_jax.runtime.errors import shown
from symmflow_jax.semantics.encoding import ProbabilityEncoding

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
    unreadable = Unreadable(len(paths))
    view = view or model.view()
    ahead: collections.deque[pathlib.Path] = collections.deque()  # Taken, and not yet written.
    readings = model.reader.read(
        _photos(model, paths, view, unreadable, ahead),
        lambda number: _noise(seed, number),
        view,
        model.solver(solver, num_steps),
        ensemble_size,
        with_probabilities=probabilities,
    )
    written = []
    for reading in readings:
        stem, unsure = output / names[ahead.popleft()], (min_confidence, unsure_id)
        written.append(_write(model, reading, stem, endings, unsure))
    _logger.info("Wrote %d masks to %s.", len(written), output)
    unreadable.raise_if_any(output)
    return written


def _photos(
    model: Model,
    paths: Iterable[pathlib.Path],
    view: View,
    unreadable: Unreadable,
    ahead: collections.deque[pathlib.Path],
) -> Iterator[Image.Image | np.ndarray]:
    """The images that can be read by a view; `ahead` gets their paths, `unreadable` the others."""

    def read(path: pathlib.Path) -> Image.Image | np.ndarray:
        image = model.experiment.photos.read(path)
        try:
            model.reader.canvases(image, view)
        except ValueError as error:
            raise DataError(f"{path}: {error}") from error
        ahead.append(path)
        return image

    for path in paths:
        yield from unreadable.read([path], read)


def _write(
    model: Model,
    reading: MaskReading,
    stem: pathlib.Path,
    endings: Iterable[str],
    unsure: tuple[float, int],
) -> pathlib.Path:
    """Writes the files of an image and returns the path of its mask.

    `unsure` is the bound of the confidence, and the id of the pixels below it.
    """
    min_confidence, unsure_id = unsure
    answers = reading.answers(min_confidence)
    is_unsure, mask = answers == UNSURE, np.maximum(answers, 0)
    path = _with_ending(stem, _MASK)
    write_ids(path, np.where(is_unsure, unsure_id, model.schema.to_raw(mask)), Made.MASK)
    picture = model.experiment.photos.picture(np.asarray(reading.picture))
    overlay = draw_overlay(picture, model.schema.colourize(mask))
    overlay = np.where(is_unsure[..., None], picture, overlay)
    write_picture(_with_ending(stem, _OVERLAY), overlay, Made.OVERLAY)
    if _ENTROPY in endings:
        grey = _grey(reading.entropy, model.schema.num_classes)
        write_ids(_with_ending(stem, _ENTROPY), grey, Made.ENTROPY)
    if _PROBABILITIES in endings:
        _write_probabilities(_with_ending(stem, _PROBABILITIES), model, reading)
    return path


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


def _grey(entropy: np.ndarray, num_classes: int) -> np.ndarray:
    """Grey levels of an entropy in nats, int32: 0 for 0, 255 for the largest possible entropy."""
    return np.round(entropy / math.log(num_classes) * 255).clip(0, 255).astype(np.int32)
