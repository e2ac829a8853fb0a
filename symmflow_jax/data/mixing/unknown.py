"""Sources whose ignored classes are unknown, and examples that lack an image or labels."""

import pathlib
from typing import Any

import numpy as np

from symmflow_jax.data.fingerprint import files_of
from symmflow_jax.data.source import Source
from symmflow_jax.data.transforms import image_size
from symmflow_jax.semantics.labels import UNKNOWN, LabelSchema


class IgnoredAsUnknown:
    """A source whose ignored classes are unknown, -1; the others are numbered without them.

    Args:
        source: the examples.
        target: key of the labels, "mask" or "label".
    """

    def __init__(self, source: Source, target: str):
        self._source, self._target = source, target
        self._numbers = source.schemas[target].numbers_without_ignored()

    @property
    def schemas(self) -> dict[str, LabelSchema]:
        """The schemas of the source, without ignored classes in that of the target."""
        schemas = dict(self._source.schemas)
        return schemas | {self._target: schemas[self._target].without_ignored()}

    @property
    def files(self) -> tuple[pathlib.Path, ...]:
        """The files of the source."""
        return files_of(self._source)

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, index: int) -> dict[str, Any]:
        element = self._source[index]
        if self._target not in element:
            return element
        labels = self._numbers[element[self._target]]
        # A label is learned as it is; a mask is resized first, and small numbers are faster.
        return element | {self._target: labels if np.ndim(labels) else np.int32(labels)}


class Completed:
    """A source whose elements may lack the image or the labels, with something in their place.

    An image that is not there is black, and labels are unknown, -1. Each element tells by
    "has_image" and "has_labels", bools `[]`, what its own parts are.

    Args:
        source: the examples.
        target: key of the labels, "mask" or "label".
    """

    def __init__(self, source: Source, target: str):
        self._source, self._target = source, target

    @property
    def schemas(self) -> dict[str, LabelSchema]:
        """The schemas of the source."""
        return self._source.schemas

    @property
    def files(self) -> tuple[pathlib.Path, ...]:
        """The files of the source."""
        return files_of(self._source)

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, index: int) -> dict[str, Any]:
        element = self._source[index]
        has_image, has_labels = "image" in element, self._target in element
        if not has_image:
            black = np.zeros((*element[self._target].shape, 3), np.uint8)
            element = element | {"image": black}
        if not has_labels:
            element = element | {self._target: _unknown(element["image"], self._target)}
        return element | {"has_image": np.bool_(has_image), "has_labels": np.bool_(has_labels)}


def _unknown(image: Any, target: str) -> np.ndarray:
    """Unknown labels of an image: int32 `[]`, or int8 `[height, width]`."""
    if target == "label":
        return np.asarray(UNKNOWN, np.int32)
    height, width = image_size(image)
    return np.full((height, width), UNKNOWN, np.int8)
