"""Samples from noise alone as files; pairs are written as a data set for training."""

import logging
import pathlib
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from symmflow_jax.inference.compiled.predictions import Sample
from symmflow_jax.inference.files import best_pairs
from symmflow_jax.inference.files.best_pairs import RankedPair
from symmflow_jax.inference.files.image_io import BATCH_SIZE
from symmflow_jax.inference.files.made import Made, write_ids, write_picture
from symmflow_jax.inference.model import Model
from symmflow_jax.methods.symmflow import Sampled
from symmflow_jax.runtime import outputs
from symmflow_jax.semantics.labels import LabelSchema

_logger = logging.getLogger(__name__)

_SHEET = "contact_sheet.png"

_One = tuple[np.ndarray | None, np.ndarray | None]
"""An image or point, and a mask or label; None for one that was not requested."""


def sample_files(
    model: Model,
    what: Sampled,
    output: pathlib.Path,
    *,
    seed: int,
    num_steps: int,
    num_samples: int,
    solver: str = "euler",
    keep_best: float = 1.0,
    overwrite: bool = False,
) -> None:
    """Generates samples from noise and writes them in the layout of a data source.

    - Pairs of images and masks: `train/images/<number>.png` and `train/masks/<number>.png` with
      the data set's ids, for the source `paired_folder`. Masks alone: only the latter.
    - Pairs of images or points and labels: `samples.npz` with `train_images` and `train_labels`,
      for the source `npz`. Labels or points alone: only that array.
    - Images alone: `<number>.png`, which `segment_files` and `classify_files` take.

    With `keep_best` below 1, only this share of the pairs is kept: those whose labels agree best
    with the model's own reading of their images. Of masks there is a `contact_sheet.png` too.

    Args:
        model: a model with a clock for each component.
        what: images, semantics or pairs.
        output: folder to write to.
        seed: origin of the noise.
        num_steps: steps of the solver.
        num_samples: number of samples, positive.
        solver: a name of `SOLVERS` (docs/choices.md).
        keep_best: share of the pairs that are kept, in (0, 1].
        overwrite: whether to replace files that exist.

    Raises:
        OutputError: if a file exists or cannot be written, or if there are other files in the
            folders of a data set, which would become examples.
        ValueError: if the network has one clock for both components, or if `num_samples` is not
            positive.
    """
    _check(model, what, num_samples, keep_best)
    num_made, num_samples = num_samples, max(1, round(keep_best * num_samples))
    sheet = output / _SHEET
    has_sheet = keep_best < 1.0 and model.reads_masks
    draws_images = len(model.image_shape) == 3
    in_folders = model.reads_masks or (what is Sampled.IMAGES and draws_images)
    if in_folders:
        _check_folders(what, num_samples, output, overwrite)
        outputs.check_outputs([sheet] if has_sheet else [], overwrite=overwrite)
    else:
        outputs.check_outputs([output / "samples.npz"], overwrite=overwrite)
    made = _batches(model, what, seed, num_steps, num_made, solver)
    if keep_best < 1.0:
        kept = best_pairs.best(_ranked(model, made), num_samples)
        _tell_kept(kept, num_made)
        samples: Iterator[_One] = iter([(pair.image, pair.labels) for pair in kept])
        if has_sheet:
            picture = best_pairs.contact_sheet(kept, model.schema)
            write_picture(sheet, picture, Made.OVERLAY)
    else:
        samples = _singly(made)
    if in_folders:
        _write_images(model, what, samples, output)
    else:
        _write_archive(samples, output / "samples.npz")
    _logger.info("Wrote %d samples (%s) to %s.", num_samples, what.name.lower(), output)
    if what is Sampled.PAIRS:
        _logger.info(
            "To train on them:\n    %s", " \\\n        ".join(training_command(model, output))
        )


def _check(model: Model, what: Sampled, num_samples: int, keep_best: float) -> None:
    """Raises ValueError if so many samples of the kind cannot be made, or not be kept in files."""
    if num_samples < 1:
        raise ValueError(f"--num_samples is {num_samples}; make at least one.")
    if what is Sampled.PAIRS and model.experiment.photos.photos is not None:
        raise ValueError(
            f"This model makes images of {model.image_shape[2]} channels and "
            f"{model.experiment.data.image_depth} bits, but files of pairs are PNGs of 8 bits. "
            "Give --what=images for pictures of them, or call sample() of the model in Python."
        )
    if not 0.0 < keep_best <= 1.0:
        raise ValueError(f"--keep_best is {keep_best:g}; it must be above 0 and at most 1.")
    if keep_best < 1.0 and what is not Sampled.PAIRS:
        raise ValueError(
            f"--keep_best is {keep_best:g}, which ranks pairs, but --what={what.name.lower()} "
            "makes none; leave it out, or make pairs."
        )


def training_command(model: Model, output: pathlib.Path) -> list[str]:
    """The arguments of a command that trains on the pairs in `output`, written by `sample_files`.

    The evaluation uses the same pairs, since there is no other split.
    """
    values: dict[str, object]
    if model.reads_masks:
        config, values = "paired_folder", _folder_values(model.schema, output)
    else:
        config = "mnist" if len(model.image_shape) == 3 else "spirals"
        values = {"source": "npz", "dir": output / "samples.npz", "eval_split": "train"}
    if len(model.image_shape) == 3:
        values["image_size"] = model.image_shape[:2]
        values["image_channels"] = model.image_shape[2]
    else:
        values["point_size"] = model.image_shape[0]
    start = ["python -m symmflow_jax.main", f"--config=configs/{config}.py"]
    return start + [f"--config.data.{key}={_quoted(value)}" for key, value in values.items()]


_Batch = tuple[jax.Array, Sample, int]
"""The key of a batch, its samples, and the number of those that count."""


def _batches(
    model: Model, what: Sampled, seed: int, num_steps: int, num_samples: int, solver: str
) -> Iterator[_Batch]:
    """Yields samples in batches of `BATCH_SIZE`, with their key; the last one may have fewer."""
    for index, start in enumerate(range(0, num_samples, BATCH_SIZE)):
        key = jax.random.fold_in(jax.random.key(seed), index)
        made = model.sample(BATCH_SIZE, key, num_steps, solver, what)
        yield key, made, min(BATCH_SIZE, num_samples - start)


def _singly(made: Iterator[_Batch]) -> Iterator[_One]:
    """Yields single samples."""
    for _, batch, count in made:
        images, labels = (None if a is None else np.asarray(a) for a in batch)
        for i in range(count):
            yield (
                None if images is None else images[i],
                None if labels is None else labels[i],
            )


def _ranked(model: Model, made: Iterator[_Batch]) -> Iterator[RankedPair]:
    """Yields single pairs with their agreement."""
    number = 0
    for key, batch, count in made:
        agreements = best_pairs.agreements(model, batch, key)
        images, labels = np.asarray(batch.images), np.asarray(batch.labels)
        for i in range(count):
            yield RankedPair(number, images[i], labels[i], float(agreements[i]))
            number += 1


def _tell_kept(kept: list[RankedPair], num_made: int) -> None:
    values = [pair.agreement for pair in kept]
    _logger.info(
        "Kept %d of %d pairs, those that agree best with the model's own reading: %.3f on average, "
        "%.3f at least.",
        len(kept),
        num_made,
        np.mean(values),
        min(values),
    )


def _folders(what: Sampled, output: pathlib.Path) -> dict[Made, pathlib.Path]:
    """The folders of the images and masks that are written."""
    if what is Sampled.IMAGES:
        return {Made.IMAGE: output}
    folders = {Made.MASK: output / "train" / "masks"}
    return folders | ({Made.IMAGE: output / "train" / "images"} if what is Sampled.PAIRS else {})


def _name(number: int) -> str:
    return f"{number:06d}.png"


def _check_folders(what: Sampled, num_samples: int, output: pathlib.Path, overwrite: bool) -> None:
    folders = _folders(what, output).values()
    names = [_name(number) for number in range(num_samples)]
    paths = [folder / name for folder in folders for name in names]
    outputs.check_outputs(paths, overwrite=overwrite)
    if what is Sampled.IMAGES:
        return
    for folder in folders:
        found = {path.name for path in folder.glob("[!.]*")}
        others = sorted(found - set(names))
        if others:
            raise outputs.OutputError(
                f"{folder} holds other files ({len(others)}), such as {others[0]}, which would be "
                "examples of the data set too. Remove them, or give another --output."
            )


def _write_images(
    model: Model, what: Sampled, samples: Iterator[_One], output: pathlib.Path
) -> None:
    folders = _folders(what, output)
    for number, (image, mask) in enumerate(samples):
        if image is not None:
            picture = model.experiment.photos.picture(image)
            write_picture(folders[Made.IMAGE] / _name(number), picture, Made.IMAGE)
        if mask is not None:
            write_ids(folders[Made.MASK] / _name(number), model.schema.to_raw(mask), Made.MASK)


def _write_archive(samples: Iterator[_One], path: pathlib.Path) -> None:
    columns = zip(("train_images", "train_labels"), zip(*samples, strict=True), strict=True)
    arrays: dict[str, Any] = {name: np.stack(c) for name, c in columns if c[0] is not None}
    outputs.write_arrays(path, **arrays)


def _folder_values(schema: LabelSchema, output: pathlib.Path) -> dict[str, object]:
    values: dict[str, object] = {"dir": output, "class_names": schema.names}
    if schema.raw_ids != tuple(range(schema.num_classes)):
        values["class_ids"] = schema.raw_ids
    if schema.ignored:
        values["ignored_id"] = schema.raw_ids[schema.ignored[0]]
        values["ignored"] = "class"
    elif schema.unknown_ids:
        values["ignored_id"] = schema.unknown_ids[0]
    return values | {"eval_images": "train/images", "eval_masks": "train/masks"}


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, tuple) else str(value)
