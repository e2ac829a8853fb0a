"""A small convolutional classifier whose last hidden layer gives features of small images."""

import json
import pathlib
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import numpy as np
import safetensors
import safetensors.numpy
from flax import traverse_util

from symmflow_jax.codecs import images as images_lib
from symmflow_jax.interop.finite import check_finite
from symmflow_jax.interop.hub.download import fetched
from symmflow_jax.interop.torch_files import WeightsFileError, of_file, read_tensors
from symmflow_jax.runtime import files, outputs
from symmflow_jax.runtime.errors import first_line
from symmflow_jax.runtime.storage import place


class Classifier(nn.Module):
    """Convolutional classifier of images of one size.

    Attributes:
        num_classes: number of classes.
        image_shape: height, width and channels of the images.
        num_features: width of the last hidden layer.
    """

    num_classes: int
    image_shape: tuple[int, int, int]
    num_features: int = 128

    def setup(self):
        self.convs = [nn.Conv(width, (3, 3)) for width in (32, 64, 64)]
        self.hidden = nn.Dense(self.num_features)
        self.out = nn.Dense(self.num_classes)

    def __call__(self, images: jax.Array) -> jax.Array:
        """Logits, float32 `[batch, num_classes]`, of uint8 images."""
        return self.out(self.features(images))

    def features(self, images: jax.Array) -> jax.Array:
        """Features, float32 `[batch, num_features]`, of uint8 images `[batch, *image_shape]`.

        Raises:
            ValueError: if the images have another shape.
        """
        if images.shape[1:] != self.image_shape:
            raise ValueError(
                f"This classifier learned images of shape {self.image_shape}, not of "
                f"{images.shape[1:]}; train one for these with --mode=train_classifier."
            )
        x = images_lib.to_signal(images)
        for conv in self.convs:
            x = nn.max_pool(nn.relu(conv(x)), (2, 2), (2, 2), "SAME")
        return nn.relu(self.hidden(x.reshape(len(x), -1)))


def write_classifier(
    path: str | pathlib.Path,
    network: Classifier,
    params: Mapping[str, Any],
    metadata: dict[str, Any],
) -> None:
    """Writes a classifier as `.safetensors`.

    Args:
        path: the file to write.
        network: the classifier.
        params: its parameters.
        metadata: plain values, such as the accuracy, to save in the file as JSON.

    Raises:
        OutputError: if the file system refuses.
    """
    attributes = {
        "num_classes": network.num_classes,
        "image_shape": network.image_shape,
        "num_features": network.num_features,
    }
    arrays = traverse_util.flatten_dict(jax.device_get(params), sep="/")
    metadata = {_KEY: files.as_json(attributes), "facts": files.as_json(metadata)}
    with outputs.writing(place.as_path(path)) as file:
        file.write(safetensors.numpy.save(arrays, metadata))


def read_classifier(path: str | pathlib.Path) -> tuple[Classifier, dict[str, Any]]:
    """Reads the network and the parameters from a file of `write_classifier`.

    Raises:
        WeightsFileError: if the file is missing, damaged or no classifier, or if its weights are
            not finite.
    """
    path = fetched(path)
    arrays = read_tensors(path)
    values = _metadata(path).get(_KEY)
    if values is None:
        raise WeightsFileError(f"{path} is no classifier of --mode=train_classifier; train one.")
    try:
        attributes = json.loads(values)
        attributes["image_shape"] = tuple(attributes["image_shape"])
        network = Classifier(**attributes)
        fits = _shapes(network) == {name: array.shape for name, array in arrays.items()}
    except Exception as error:  # Damaged values may raise any error.
        raise WeightsFileError(
            f"{path} describes no classifier ({type(error).__name__}: {first_line(error)}); train "
            "it again with --mode=train_classifier."
        ) from error
    if not fits:
        raise WeightsFileError(
            f"{path} has other arrays than the classifier that it describes; train it again with "
            "--mode=train_classifier."
        )
    with of_file(path):
        check_finite(arrays)
    return network, traverse_util.unflatten_dict(arrays, sep="/")


def _shapes(network: Classifier) -> dict[str, tuple[int, ...]]:
    """The shape of each array, without computation."""
    images = jax.ShapeDtypeStruct((1, *network.image_shape), np.uint8)
    params = jax.eval_shape(network.init, jax.random.key(0), images)["params"]
    return {name: a.shape for name, a in traverse_util.flatten_dict(params, sep="/").items()}


def _metadata(path: pathlib.Path) -> dict[str, str]:
    if path.suffix != ".safetensors":
        return {}
    with safetensors.safe_open(path, framework="np") as file:
        return file.metadata() or {}


_KEY = "classifier"
