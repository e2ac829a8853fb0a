"""The mask of an image, with what a notebook wants of it: files, overlays and pictures."""

import dataclasses
import os
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from symmflow_jax.inference.canvas.reading import MaskReading
from symmflow_jax.inference.compiled.predictions import UNSURE
from symmflow_jax.inference.files.made import Made, write_ids
from symmflow_jax.inference.given.images import GivenImage
from symmflow_jax.inference.results import figures
from symmflow_jax.inference.results.places import output_path, output_paths
from symmflow_jax.runs.pictures import grids
from symmflow_jax.runtime import outputs
from symmflow_jax.runtime.errors import shown
from symmflow_jax.semantics.labels import LabelSchema

_MOST_NAMED = 4
_MOST_SHOWN = 6


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Segmentation:
    """The mask of one image, in the size of the image.

    NumPy takes it for its `mask`: `np.asarray(result)`, and `np.asarray(results)` of several
    images of one size. A notebook shows the image beside its overlay, with the classes and their
    shares.

    Attributes:
        mask: int32 `[height, width]`, numbers of classes, 0..n-1, which count `names`; -1 where
            the confidence is below `min_confidence`.
        confidence: float32 in [0, 1], `[height, width]`, the confidence in the class.
        entropy: float32 `[height, width]`, entropy in nats of the probabilities, or of the vote of
            several draws if the encoding gives no probabilities.
        probabilities: float `[height, width, classes]`; None unless they were asked for.
        schema: the classes: names, colours, and ids in the data set's files.
        given: the image.
    """

    mask: np.ndarray
    confidence: np.ndarray
    entropy: np.ndarray
    probabilities: np.ndarray | None
    schema: LabelSchema
    given: GivenImage

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each class."""
        return self.schema.names

    @property
    def path(self) -> pathlib.Path | None:
        """The file of the image, if it was given as one."""
        return self.given.path

    @property
    def image(self) -> np.ndarray:
        """The image, uint8 `[height, width, 3]`; read again if it is a file."""
        return _as_colour(self.given.picture())

    @property
    def shares(self) -> dict[str, float]:
        """Share of the pixels of each class that occurs, by name, the largest first."""
        sure = self.mask[self.mask >= 0]
        counts = np.bincount(sure, minlength=self.schema.num_classes) / self.mask.size
        order = np.argsort(-counts, kind="stable")
        return {self.names[label]: float(counts[label]) for label in order if counts[label] > 0}

    @property
    def mask_image(self) -> Image.Image:
        """The mask in the colours of its classes; grey where it is unsure."""
        colours = self.schema.colourize(np.maximum(self.mask, 0))
        colours[self.mask < 0] = figures.UNSURE_COLOUR
        return Image.fromarray(colours)

    def overlay(self, alpha: float = 0.5) -> Image.Image:
        """The colours of the classes over the image, which stays as it is where it is unsure.

        Args:
            alpha: opacity of the colours, in [0, 1].

        Raises:
            ValueError: if `alpha` is out of its range.
        """
        if not 0.0 <= alpha <= 1.0:
            raise ValueError(f"alpha is {alpha}; it must lie in [0, 1].")
        image = self.image
        mixed = grids.overlay(image, np.asarray(self.mask_image), alpha)
        return Image.fromarray(np.where((self.mask < 0)[..., None], image, mixed))

    def save(self, path: str | os.PathLike, unsure_id: int = 255) -> pathlib.Path:
        """Writes the mask as a PNG of the data set's ids, or all arrays as an `.npz`.

        A PNG has 8 bits, or 16 if an id needs them. An `.npz` holds `mask`, `confidence`,
        `entropy`, `names`, and `probabilities` if there are some. A file that exists is replaced,
        but never the image itself.

        Args:
            path: a file that ends in .png or .npz.
            unsure_id: id of the pixels that are -1; no class has it.

        Returns:
            the path.

        Raises:
            ValueError: if the file is of another kind or is the image, or `unsure_id` is the id of
                a class but there are such pixels.
            OutputError: if it cannot be written.
        """
        file = output_path(path, (".png", ".npz"), self.path)
        if file.suffix.lower() == ".npz":
            outputs.write_arrays(file, **self._arrays())
            return file
        unsure = self.mask == UNSURE
        if unsure.any():
            check_unsure_id(self.schema, unsure_id, "unsure_id")
        ids = np.where(unsure, unsure_id, self.schema.to_raw(np.maximum(self.mask, 0)))
        write_ids(file, ids, Made.MASK)
        return file

    def _arrays(self) -> dict[str, np.ndarray]:
        arrays = {"mask": self.mask, "confidence": self.confidence, "entropy": self.entropy}
        if self.probabilities is not None:
            arrays["probabilities"] = self.probabilities
        return arrays | {"names": np.asarray(self.names)}

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.mask, dtype=dtype, copy=True if copy is None else copy)

    def __repr__(self) -> str:
        height, width = self.mask.shape
        shares = self.shares
        parts = [f"{name} {share:.1%}" for name, share in list(shares.items())[:_MOST_NAMED]]
        if len(shares) > _MOST_NAMED:
            parts.append(f"{len(shares) - _MOST_NAMED} more")
        if (self.mask < 0).any():
            parts.append(f"unsure {np.mean(self.mask < 0):.1%}")
        return (
            f"<Segmentation of {shown(self.given.name)}, {width}x{height} pixels: "
            f"{', '.join(parts)}; mean confidence {self.confidence.mean():.3f}>"
        )

    def figure(self) -> np.ndarray:
        """The image beside its overlay, and the classes, uint8 `[height, width, 3]`."""
        pair = [("image", self.image), ("mask", np.asarray(self.overlay()))]
        colours = dict(zip(self.names, self.schema.palette, strict=True))
        entries = [(f"{name} {share:.1%}", colours[name]) for name, share in self.shares.items()]
        if (self.mask < 0).any():
            share = np.mean(self.mask < 0)
            entries.append((f"unsure {share:.1%}", figures.UNSURE_COLOUR))
        return figures.with_legend(figures.row(pair), entries)

    def _repr_png_(self) -> bytes:
        return figures.png(self.figure())


class Segmentations(list[Segmentation]):
    """The masks of several images, in their order: a list that a notebook shows as pictures."""

    @classmethod
    def of(
        cls,
        found: Iterable[tuple[GivenImage, MaskReading]],
        schema: LabelSchema,
        min_confidence: float,
    ) -> "Segmentations":
        """The results of a model.

        Args:
            found: each image with its reading.
            schema: the classes.
            min_confidence: bound in [0, 1]; pixels with a lower confidence are -1.

        Raises:
            ValueError: if the bound is out of its range.
        """
        return cls(
            Segmentation(
                reading.answers(min_confidence),
                reading.confidence,
                reading.entropy,
                reading.probabilities,
                schema,
                item,
            )
            for item, reading in found
        )

    def save(self, folder: str | os.PathLike, unsure_id: int = 255) -> list[pathlib.Path]:
        """Writes each mask to a folder as `<name of the image>.png`; see `Segmentation.save`.

        Images that are no files are called by their number.
        """
        names = [r.path.name if r.path else f"{i:06d}" for i, r in enumerate(self)]
        files = output_paths(folder, names, ".png")
        return [r.save(file, unsure_id) for r, file in zip(self, files, strict=True)]

    def __repr__(self) -> str:
        return list_repr(self)

    def _repr_png_(self) -> bytes | None:
        return figures.png(figures.column([r.figure() for r in self[:_MOST_SHOWN]]))


def list_repr(results: Sequence[Any]) -> str:
    """The lines of the first results, and how many more there are."""
    lines = [repr(result) for result in results[:_MOST_SHOWN]]
    if len(results) > _MOST_SHOWN:
        lines.append(f"... and {len(results) - _MOST_SHOWN} more")
    return "[" + ",\n ".join(lines) + "]"


def check_unsure_id(schema: LabelSchema, unsure_id: int, name: str) -> None:
    """Raises a ValueError if the id for unsure pixels is that of a class, or out of range."""
    classes = dict(zip(schema.raw_ids, schema.names, strict=True))
    classes |= {raw_id: schema.names[label] for raw_id, label in schema.merged_ids}
    if unsure_id in classes:
        raise ValueError(
            f"{name} is {unsure_id}, which is an id of {classes[unsure_id]!r}; choose one "
            "that no class has."
        )
    if not 0 <= unsure_id < 2**16:
        raise ValueError(f"{name} is {unsure_id}; masks hold ids from 0 to {2**16 - 1}.")


def _as_colour(pixels: np.ndarray) -> np.ndarray:
    """The first three channels, or the grey one three times."""
    if pixels.shape[-1] == 1:
        return np.repeat(pixels, 3, axis=-1)
    return pixels[..., :3]
