"""Features of real images, the reference of sample quality, cached on disk."""

import contextlib
import dataclasses
import hashlib
import json
import logging
import pathlib
import re
from collections.abc import Iterator
from typing import NamedTuple

import jax
import numpy as np
from jax.experimental import multihost_utils

from symmflow_jax.codecs.images import to_pixels
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data.batch import Signals
from symmflow_jax.data.fingerprint import content_digest, files_of
from symmflow_jax.data.source import Source
from symmflow_jax.evaluation.evaluator import Evaluator
from symmflow_jax.metrics.features import FeatureFunction
from symmflow_jax.metrics.frechet import (
    FeatureStatistics,
    Gaussian,
    StatisticsError,
    load_statistics,
    save_statistics,
)
from symmflow_jax.runtime import processes
from symmflow_jax.runtime.errors import first_line

_logger = logging.getLogger(__name__)

MOST_FEATURES = 10_000
"""Largest number of images whose feature vectors are kept, for the kernel distance."""

# Keys of config.data that do not change the images of an evaluation.
_TRAINING_ONLY = (
    *("random_crop", "random_flip", "random_vertical_flip", "dequantize_images"),
    *("latents", "num_workers"),
)


class FeatureSet(NamedTuple):
    """Features of a set of images, the same in every process.

    Attributes:
        gaussian: mean and covariance of the features of all images.
        features: float32 `[at most MOST_FEATURES, num_features]`, of the first images.
        num_examples: number of images of `gaussian`.
    """

    gaussian: Gaussian
    features: np.ndarray
    num_examples: int


class FeatureCollector:
    """Collects features batch by batch.

    Args:
        num_features: size of a feature vector.
    """

    def __init__(self, num_features: int):
        self._statistics = FeatureStatistics.empty(num_features)
        self._rows = [np.zeros((0, 1 + num_features), np.float32)]

    def add(self, features: jax.Array, positions: jax.Array, valid: jax.Array) -> None:
        """Adds a batch.

        Args:
            features: float `[batch, num_features]`.
            positions: int `[batch]`, index of each image among all images.
            valid: bool `[batch]`; padding does not count.
        """
        counts = np.asarray(valid, bool)
        rows, places = np.asarray(features, np.float32), np.asarray(positions)
        self._statistics = self._statistics.merge(FeatureStatistics.from_features(rows, counts))
        kept = counts & (places < MOST_FEATURES)
        self._rows.append(np.column_stack([places[kept].astype(np.float32), rows[kept]]))

    def finish(self) -> tuple[FeatureStatistics, np.ndarray]:
        """Statistics and feature vectors of all processes; the vectors are sorted by position."""
        rows = _over_processes(np.concatenate(self._rows))
        return self._statistics.over_processes(), rows[np.argsort(rows[:, 0]), 1:]


def real_features(evaluator: Evaluator, function: FeatureFunction) -> FeatureSet:
    """Features of the real images that the config names, at the model's size.

    They are loaded from `config.eval.statistics_dir` if they exist. Otherwise they are computed
    and written there. The file name holds the data set, split, size, feature weights and a digest
    of the data's config and of the content of its files. So other images under the same path have
    other statistics, and the same images under another path have the same ones.

    Raises:
        DataError: if the split is missing.
        StatisticsError: if a file of statistics is damaged, or cannot be written.
    """
    source = evaluator.experiment.real_source(evaluator.source)
    path = _path(evaluator.experiment, source, function)
    rows_path = path.with_suffix(".features.npz")
    if _everywhere(path.is_file() and rows_path.is_file()):
        _logger.info("The features of the real images are those kept in %s.", path)
        return _kept(path, rows_path, function)
    _logger.info("Measuring the features of %d real images for %s.", len(source), path)
    if processes.is_primary():
        with _explain_write_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
    statistics, rows = _measure(dataclasses.replace(evaluator, source=source), function)
    if processes.is_primary():
        with _explain_write_errors(path):
            # An archive, because its checksum tells if a number has changed on the disk.
            partial = path.with_suffix(".partial")
            with partial.open("wb") as file:
                np.savez(file, features=rows)
            partial.replace(rows_path)
            # Last, so that both files are complete if this one exists.
            save_statistics(partial, statistics, function)
            partial.replace(path)
    return FeatureSet(statistics.gaussian(), rows, statistics.count)


def _kept(path: pathlib.Path, rows_path: pathlib.Path, function: FeatureFunction) -> FeatureSet:
    """The features that were kept in two files; raises StatisticsError if one is damaged."""
    gaussian = load_statistics(path, function)
    try:
        with np.load(path) as file:
            count = int(file["num_examples"])
        with np.load(rows_path) as file:
            rows = file["features"]
    except Exception as error:  # Damaged archives raise various errors.
        raise StatisticsError(
            f"{rows_path} or {path.name} is damaged ({type(error).__name__}: {first_line(error)}); "
            "remove both, and they are written anew."
        ) from error
    expected = (min(count, MOST_FEATURES), function.num_features)
    if rows.shape != expected or rows.dtype != np.float32 or not np.isfinite(rows).all():
        raise StatisticsError(
            f"{rows_path} does not hold {expected[0]} times {expected[1]} finite features, as "
            f"{path.name} says; remove both, and they are written anew."
        )
    return FeatureSet(gaussian, rows, count)


@contextlib.contextmanager
def _explain_write_errors(path: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StatisticsError(
            f"{error.filename2 or path} cannot be written ({error.strerror}); set "
            "config.eval.statistics_dir to a folder with space where you may write."
        ) from error


def _measure(
    evaluator: Evaluator, function: FeatureFunction
) -> tuple[FeatureStatistics, np.ndarray]:
    collector = FeatureCollector(function.num_features)
    for batch in evaluator.batches(0):
        values = batch.image.values
        pixels = to_pixels(values) if isinstance(batch.image, Signals) else values
        collector.add(function(pixels), batch.example_index, batch.valid)
    return collector.finish()


def _path(experiment: Experiment, source: Source, function: FeatureFunction) -> pathlib.Path:
    """Path of the statistics, unique to the data, the image size and the feature weights."""
    unused = (*_TRAINING_ONLY, "dir") if files_of(source) else _TRAINING_ONLY
    data = dataclasses.asdict(experiment.data)
    identity = {key: value for key, value in data.items() if key not in unused}
    identity |= {"seed": experiment.seed, "content": content_digest(source)}
    if experiment.evaluation_preparation.crop_seed is not None:
        identity |= {"crop": "random"}
    text = json.dumps(identity, sort_keys=True, allow_nan=False)
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    size = "x".join(str(n) for n in (*experiment.data.image_size, experiment.data.image_channels))
    parts = (
        experiment.dataset,
        experiment.real_split,
        size,
        function.name,
        function.weights_hash,
        digest,
    )
    name = re.sub(r"[^\w.-]+", "-", "_".join(parts))
    return pathlib.Path(experiment.eval.statistics_dir) / f"{name}.npz"


def _everywhere(found: bool) -> bool:
    """Tells if the condition holds in all processes, so that all of them take the same branch."""
    total = processes.sum_over_processes(np.int32(found))
    return int(total) == jax.process_count()


def _over_processes(rows: np.ndarray) -> np.ndarray:
    """Gathers the rows of all processes; processes may have different numbers of rows."""
    if jax.process_count() == 1:
        return rows
    most = int(np.max(multihost_utils.process_allgather(np.int32(len(rows)))))
    padded = np.full((most, rows.shape[1]), np.nan, np.float32)
    padded[: len(rows)] = rows
    gathered = np.asarray(multihost_utils.process_allgather(padded)).reshape(-1, rows.shape[1])
    return gathered[~np.isnan(gathered[:, 0])]
