"""Feature functions: maps from images to feature vectors for distances of distributions."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.interop.files import read_state_dict
from symmflow_jax.interop.hub.download import fetched
from symmflow_jax.interop.names import inception as inception_weights
from symmflow_jax.interop.torch_files import of_file
from symmflow_jax.interop.weights_hash import hash_of
from symmflow_jax.metrics.classifier import read_classifier
from symmflow_jax.networks.perceptual.inception import NUM_FEATURES, Inception


@dataclasses.dataclass(frozen=True, eq=False)
class FeatureFunction:
    """A map from images to feature vectors, with identified weights.

    Attributes:
        name: name of the features, such as "inception".
        weights_hash: first 16 hexadecimal digits of the SHA-256 of the weights. Only features
            of equal name and hash are comparable.
        num_features: size of a feature vector.
        apply: function from weights and uint8 images to float32 `[batch, num_features]`.
        weights: arrays of the weights, on the device.
    """

    name: str
    weights_hash: str
    num_features: int
    apply: Callable[[Any, jax.Array], jax.Array]
    weights: Any = dataclasses.field(repr=False)

    def __call__(self, images: jax.Array | np.ndarray) -> jax.Array:
        """Features, float32 `[batch, num_features]`.

        Args:
            images: uint8 `[batch, height, width, 1 or 3]`.

        Raises:
            ValueError: if the images have another dtype or shape.
        """
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] not in (1, 3):
            raise ValueError(
                f"Features are of uint8 images [batch, height, width, 1 or 3], not of "
                f"{images.dtype} {list(images.shape)}."
            )
        return _apply(self.apply, self.weights, images)


def no_features(path: str | pathlib.Path) -> None:
    """Returns None: generated images are not compared by features."""
    del path


def inception(path: str | pathlib.Path) -> FeatureFunction:
    """The Inception network of the Fréchet Inception distance.

    Args:
        path: weights file of pytorch-fid, original or converted by
            `python -m symmflow_jax.interop.convert_metric_weights`.

    Raises:
        ValueError: if the file is missing or not of this network.
    """
    path = fetched(path)
    if not path.is_file():
        raise ValueError(
            f"There are no Inception weights at {str(path)!r}. Get "
            'pt_inception-2015-12-05-6726825d.pth from the release "fid_weights" of '
            "github.com/mseitzer/pytorch-fid and point config.eval.feature_weights at it."
        )
    state_dict = read_state_dict(path)
    with of_file(path):
        variables = inception_weights.variables_from_state_dict(state_dict)
    return feature_function("inception", _pooled_features, variables, NUM_FEATURES)


def classifier(path: str | pathlib.Path) -> FeatureFunction:
    """The last hidden layer of a classifier from `--mode=train_classifier`.

    The distances compare runs on one data set; they are not comparable to Inception distances.
    The feature function raises ValueError for images of another shape than the classifier's.

    Raises:
        ValueError: if the file is missing or no such classifier.
    """
    network, params = read_classifier(path)

    def hidden(variables: Any, images: jax.Array) -> jax.Array:
        return jnp.asarray(network.apply(variables, images, method=network.features))

    return feature_function("classifier", hidden, {"params": params}, network.num_features)


def feature_function(
    name: str, apply: Callable[[Any, jax.Array], jax.Array], weights: Any, num_features: int
) -> FeatureFunction:
    """Makes a feature function: computes the hash of weights and puts them on the device."""
    return FeatureFunction(
        name, hash_of(weights), num_features, apply, jax.tree.map(jnp.asarray, weights)
    )


def _pooled_features(variables: Any, images: jax.Array) -> jax.Array:
    """Inception features; grey images become colour images with equal channels."""
    colours = jnp.broadcast_to(images, (*images.shape[:-1], 3))
    return jnp.asarray(Inception().apply(variables, colours))


@functools.partial(jax.jit, static_argnums=0)
def _apply(apply, weights: Any, images: jax.Array) -> jax.Array:
    return apply(weights, images).astype(jnp.float32)
