"""The Fréchet distance between two sets of features (Heusel et al., arXiv 1706.08500)."""

import dataclasses
import pathlib
from typing import NamedTuple

import jax
import numpy as np
from jax.experimental import multihost_utils

from symmflow_jax.metrics.features import FeatureFunction
from symmflow_jax.runtime.errors import first_line, shown_part


class StatisticsError(ValueError):
    """A statistics file is missing, damaged or of other features; the message has the remedy."""


class Gaussian(NamedTuple):
    """A normal distribution fitted to a set of features.

    Attributes:
        mean: float64 `[num_features]`.
        covariance: float64 `[num_features, num_features]`.
    """

    mean: np.ndarray
    covariance: np.ndarray


@dataclasses.dataclass(frozen=True)
class FeatureStatistics:
    """Mean and scatter of features, accumulated over batches in float64 on the host.

    Attributes:
        count: number of examples.
        mean: mean of the features, `[num_features]`.
        scatter: sum of the outer products of the deviations from the mean,
            `[num_features, num_features]`.
    """

    count: int
    mean: np.ndarray
    scatter: np.ndarray

    @classmethod
    def empty(cls, num_features: int) -> "FeatureStatistics":
        """Statistics without examples."""
        return cls(0, np.zeros(num_features), np.zeros((num_features, num_features)))

    @classmethod
    def from_features(
        cls, features: np.ndarray | jax.Array, valid: np.ndarray | None = None
    ) -> "FeatureStatistics":
        """Statistics of a batch.

        Args:
            features: float `[batch, num_features]`.
            valid: bool `[batch]`, False for padding; None counts all examples.

        Raises:
            ValueError: if a feature that counts is not finite.
        """
        rows = np.asarray(features, np.float64)
        if valid is not None:
            rows = rows[np.asarray(valid, bool)]
        if not len(rows):
            return cls.empty(rows.shape[1])
        if not np.isfinite(rows).all():
            raise ValueError(
                "Features are not finite, so they have no distance; look at the images, or at "
                "the weights of the feature network."
            )
        mean = rows.mean(axis=0)
        deviations = rows - mean
        return cls(len(rows), mean, deviations.T @ deviations)

    def merge(self, other: "FeatureStatistics") -> "FeatureStatistics":
        """Statistics of the union of both sets (Chan et al., 1979).

        Only differences of means are squared, so large means lose no precision.
        """
        count = self.count + other.count
        if not count:
            return self
        shift = other.mean - self.mean
        mean = self.mean + shift * (other.count / count)
        between = np.outer(shift, shift) * (self.count * other.count / count)
        return FeatureStatistics(count, mean, self.scatter + other.scatter + between)

    def over_processes(self) -> "FeatureStatistics":
        """Statistics of all processes together; every process must call it and gets the result."""
        if jax.process_count() == 1:
            return self
        values = (np.float64(self.count), self.mean, self.scatter)
        # Devices may have no float64, so numbers are sent as halves of 32 bits.
        halves = [np.ascontiguousarray(value).reshape(-1).view(np.uint32) for value in values]
        gathered = multihost_utils.process_allgather(np.concatenate(halves))
        total = FeatureStatistics.empty(len(self.mean))
        for row in np.asarray(gathered):
            numbers = row.view(np.float64)
            mean, scatter = np.split(numbers[1:], [len(self.mean)])
            total = total.merge(
                FeatureStatistics(int(numbers[0]), mean, scatter.reshape(self.scatter.shape))
            )
        return total

    def gaussian(self) -> Gaussian:
        """The normal distribution with the mean and the unbiased covariance of the features.

        Raises:
            ValueError: if there are fewer than two examples.
        """
        if self.count < 2:
            raise ValueError(f"A covariance needs at least two examples, not {self.count}.")
        return Gaussian(self.mean, self.scatter / (self.count - 1))


def frechet_distance(first: Gaussian, second: Gaussian) -> float:
    """`|m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^½)`, the squared distance of two normal distributions.

    The trace of `(C1 C2)^½` equals that of `(C1^½ C2 C1^½)^½`. The product in the latter is
    symmetric, so its eigenvalues are real and accurate even for singular covariances, which occur
    with fewer examples than features.

    Raises:
        ValueError: if the distributions have different numbers of features.
    """
    if first.mean.shape != second.mean.shape:
        raise ValueError(
            f"Features of {len(first.mean)} and {len(second.mean)} dimensions have no distance; "
            "take both from the same feature function."
        )
    values, vectors = np.linalg.eigh(first.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    # `root.T C2 root` has the eigenvalues of the symmetric product above.
    values = np.linalg.eigvalsh(root.T @ second.covariance @ root)
    trace = np.sum(np.sqrt(np.maximum(values, 0.0)))
    shift = first.mean - second.mean
    own = np.trace(first.covariance) + np.trace(second.covariance)
    return float(shift @ shift + own - 2.0 * trace)


def save_statistics(
    path: str | pathlib.Path, statistics: FeatureStatistics, feature_function: FeatureFunction
) -> None:
    """Writes a Gaussian and the origin of its features as `.npz`, also readable by pytorch-fid.

    Raises:
        ValueError: if there are fewer than two examples.
    """
    mean, covariance = statistics.gaussian()
    with pathlib.Path(path).open("wb") as file:
        np.savez_compressed(
            file,
            mu=mean,
            sigma=covariance,
            feature_function=feature_function.name,
            weights_hash=feature_function.weights_hash,
            num_examples=statistics.count,
        )


def load_statistics(path: str | pathlib.Path, feature_function: FeatureFunction) -> Gaussian:
    """Reads a Gaussian from a file of `save_statistics` or of pytorch-fid.

    Raises:
        StatisticsError: if the file is missing, damaged or of another feature function.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise StatisticsError(f"There is no file of feature statistics {path}.")
    try:
        with np.load(path) as file:
            values = {key: file[key] for key in file.files}
        gaussian = Gaussian(_numbers(values["mu"]), _numbers(values["sigma"]))
    except Exception as error:  # Damaged archives raise various errors.
        raise StatisticsError(
            f"{path} is no file of feature statistics ({type(error).__name__}: "
            f"{first_line(error)}); write it anew."
        ) from error
    _check_origin(path, values, gaussian, feature_function)
    return gaussian


def _numbers(array: np.ndarray) -> np.ndarray:
    """The array as float64; raises ValueError for what is no finite real number."""
    if array.dtype.kind != "f" or not np.isfinite(array).all():
        raise ValueError(f"an array of {array.dtype} is not of finite floats")
    return array.astype(np.float64)


def _check_origin(
    path: pathlib.Path,
    values: dict[str, np.ndarray],
    gaussian: Gaussian,
    feature_function: FeatureFunction,
) -> None:
    # Files of pytorch-fid do not name their features; it has one network of this size.
    name = str(values.get("feature_function", "inception"))
    weights_hash = str(values.get("weights_hash", feature_function.weights_hash))
    wanted = f"{feature_function.name} {feature_function.weights_hash}"
    found = f"{name} {weights_hash}"
    if found != wanted:
        raise StatisticsError(
            f"{path} has statistics of {shown_part(found)}, but features are of {wanted}. "
            "Write the statistics anew with these weights, or use the weights they are of."
        )
    size = feature_function.num_features
    if gaussian.mean.shape != (size,) or gaussian.covariance.shape != (size, size):
        raise StatisticsError(
            f"{path} has a mean of shape {gaussian.mean.shape} and a covariance of shape "
            f"{gaussian.covariance.shape}, but {name} has {size} features; write it anew."
        )
