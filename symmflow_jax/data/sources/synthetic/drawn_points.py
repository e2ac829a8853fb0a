"""Base of the synthetic sources of points: points with one label each, in memory."""

import numpy as np

from symmflow_jax.semantics.labels import LabelSchema


class DrawnPoints:
    """Points "image" float32 `[n]`, with "label" int32 `[]`.

    Args:
        points: float32 `[count, n]`.
        labels: int32 `[count]`.
        schema: classes of the labels.
    """

    def __init__(self, points: np.ndarray, labels: np.ndarray, schema: LabelSchema):
        self._points, self._labels, self._schema = points, labels, schema

    @property
    def schemas(self) -> dict[str, LabelSchema]:
        """The classes of "label"."""
        return {"label": self._schema}

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        return {"image": self._points[index], "label": np.asarray(self._labels[index])}
