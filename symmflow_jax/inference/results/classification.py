"""The label of an image or point, with its probabilities."""

import dataclasses
import html
import operator
import pathlib
from collections.abc import Iterable
from typing import Any

import jax
import numpy as np

from symmflow_jax.inference.compiled.predictions import SemanticsPrediction
from symmflow_jax.inference.given.images import GivenImage
from symmflow_jax.inference.results.segmentation import list_repr
from symmflow_jax.runtime.errors import shown
from symmflow_jax.semantics.labels import LabelSchema

_MOST_CLASSES = 5
_UNSURE = "unsure"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Classification:
    """The label of one image or point.

    NumPy and Python take it for its `label`: `int(result)`, `np.asarray(results)`.

    Attributes:
        label: number of the class, 0..n-1; -1 if the confidence is below `min_confidence`.
        confidence: in [0, 1], the confidence in the class.
        entropy: entropy in nats of the probabilities, or of the vote of several draws if the
            encoding gives no probabilities.
        probabilities: float32 `[classes]`; None if the encoding gives none.
        distances: float32 `[classes]`, distance from the code of each class; None if the encoding
            has none.
        schema: the classes: names, colours, and ids in the data set's files.
        given: the image; None for a point.
    """

    label: int
    confidence: float
    entropy: float
    probabilities: np.ndarray | None
    distances: np.ndarray | None
    schema: LabelSchema
    given: GivenImage | None = None

    @property
    def name(self) -> str:
        """Name of the class, or "unsure"."""
        return self.names[self.label] if self.label >= 0 else _UNSURE

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each class."""
        return self.schema.names

    @property
    def path(self) -> pathlib.Path | None:
        """The file of the image, if it was given as one."""
        return self.given.path if self.given else None

    def top(self, count: int = _MOST_CLASSES) -> dict[str, float]:
        """The most probable classes with their probabilities, the first one first.

        Without probabilities it is the class with its confidence.
        """
        if self.probabilities is None:
            return {self.name: self.confidence}
        order = np.argsort(-self.probabilities, kind="stable")[:count]
        return {self.names[label]: float(self.probabilities[label]) for label in order}

    def __int__(self) -> int:
        return self.label

    __index__ = __int__

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.label, dtype=np.int32 if dtype is None else dtype)

    def __repr__(self) -> str:
        of = f" of {shown(self.given.name)}" if self.given else ""
        return (
            f"<Classification{of}: {self.name} ({operator.index(self)}), "
            f"confidence {self.confidence:.3f}>"
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='text-align:left'>{html.escape(shown(name))}</td>"
            f"<td>{value:.3f}</td></tr>"
            for name, value in self.top().items()
        )
        of = f"{html.escape(shown(self.given.name))}: " if self.given else ""
        what = "class</th><th>confidence" if self.probabilities is None else "class</th><th>p"
        title = f"{of}<b>{html.escape(shown(self.name))}</b>"
        return f"{title}<table><tr><th>{what}</th></tr>{rows}</table>"


class Classifications(list[Classification]):
    """The labels of several images or points, in their order."""

    @classmethod
    def of(
        cls,
        found: Iterable[tuple[Any, SemanticsPrediction]],
        schema: LabelSchema,
        min_confidence: float,
    ) -> "Classifications":
        """The results of a model.

        Args:
            found: each image, or point, with its prediction without the batch axis.
            schema: the classes.
            min_confidence: bound in [0, 1]; labels with a lower confidence are -1.

        Raises:
            ValueError: if the bound is out of its range.
        """
        return cls(
            Classification(
                int(predicted.answers(min_confidence)),
                float(predicted.confidence),
                float(predicted.entropy),
                _on_host(predicted.probabilities),
                _on_host(predicted.distances),
                schema,
                item if isinstance(item, GivenImage) else None,
            )
            for item, predicted in found
        )

    def __repr__(self) -> str:
        return list_repr(self)


def _on_host(array: jax.Array | None) -> np.ndarray | None:
    return None if array is None else np.asarray(array)
