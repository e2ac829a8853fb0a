"""A contact sheet: images beside their masks, to be looked at before a training."""

import contextlib

import numpy as np
from PIL import Image

from symmflow_jax.data.decoding.decoding import Decoded
from symmflow_jax.data.decoding.image_files import to_rgb
from symmflow_jax.data.masks.ids import ids_of
from symmflow_jax.data.photos.photo import read_photo
from symmflow_jax.data.photos.reader import PhotoReader
from symmflow_jax.data.source import DataError, Source
from symmflow_jax.data.sources.segmentation.image_pairs import ImagePairs
from symmflow_jax.data.sources.segmentation.pair import as_pairs
from symmflow_jax.data.transforms import image_size
from symmflow_jax.preparation.survey.survey import DataSurvey
from symmflow_jax.runs.pictures import grids
from symmflow_jax.runs.pictures.legend import MOST_ROWS, legend
from symmflow_jax.runtime import files
from symmflow_jax.semantics import palettes
from symmflow_jax.semantics.labels import LabelSchema

MOST_EXAMPLES = 16
_MOST_BROKEN, _MOST_FOR_CLASSES = 4, 8
_SIDE = 176
_PAIRS_IN_A_ROW, _LABELS_IN_A_ROW = 2, 6
_GREY = 225
_MOST_COLOURS = 256

_PLAIN = PhotoReader()

Panel = list[tuple[str, np.ndarray]]
"""Captions and tiles of one example, uint8 `[_SIDE, _SIDE, 3]`."""


def contact_sheet(
    source: Source,
    findings: DataSurvey,
    target: str,
    schema: LabelSchema,
    photos: PhotoReader = _PLAIN,
) -> np.ndarray | None:
    """Draws up to 16 examples: image, mask and both together; or images with their labels.

    First come examples that cannot be used, as far as their files can be decoded; then, from the
    rarest class on, the example that shows most of it; the rest is spread over the source.

    Args:
        source: the examples.
        findings: the survey of this source.
        target: key of the semantics in an example, "mask" or "label".
        schema: the classes.
        photos: shows images of other channels or values than pictures have.

    Returns:
        uint8 `[height, width, 3]`; None for points, and if nothing can be drawn.
    """
    panels = []
    for index in chosen(findings):
        is_broken = index in findings.broken
        panel = (
            _broken(source, index, photos)
            if is_broken
            else _whole(source, index, target, schema, photos)
        )
        if panel:
            panels.append(panel)
    if not panels:
        return None
    in_a_row = _PAIRS_IN_A_ROW if target == "mask" else _LABELS_IN_A_ROW
    rows = [
        [tile for panel in panels[start : start + in_a_row] for tile in panel]
        for start in range(0, len(panels), in_a_row)
    ]
    sheet = grids.tiles(rows)
    if target == "mask" and schema.num_classes <= MOST_ROWS:
        return grids.beside([("", sheet), ("", legend(schema))])
    return sheet


def chosen(findings: DataSurvey, most: int = MOST_EXAMPLES) -> list[int]:
    """The numbers of the examples to show: broken ones, then the others in their order."""
    broken = findings.broken[:_MOST_BROKEN]
    bad = set(findings.broken)
    rarest = sorted(findings.shown_best, key=lambda label: findings.counts[label])
    for_classes = [findings.shown_best[label] for label in rarest]
    picked = list(dict.fromkeys(for_classes))[: min(_MOST_FOR_CLASSES, most - len(broken))]
    good = [index for index in range(findings.num_examples) if index not in bad]
    left = [index for index in good if index not in set(picked)]
    missing = min(most - len(broken) - len(picked), len(left))
    if missing > 0:
        picked += [left[i] for i in np.linspace(0, len(left) - 1, missing).round().astype(int)]
    return [*broken, *sorted(picked)]


def _whole(
    source: Source, index: int, target: str, schema: LabelSchema, photos: PhotoReader
) -> Panel:
    """The tiles of an example that can be used; none for points."""
    pairs = as_pairs(source)
    if pairs is not None:
        pair = pairs.read(index)
        name, image, labels = pair.paths[0].name, pair.image, pair.mask
    else:
        element = source[index]
        name, image, labels = f"example {index}", element["image"], element[target]
    size = image_size(image)
    if len(size) != 2:
        return []
    caption = f"{files.without_surrogates(name)} {size[1]}x{size[0]}"
    picture = _rgb(photos.picture(np.asarray(image)))
    if target != "mask":
        label = schema.names[int(labels)] if int(labels) >= 0 else "not known"
        return [(f"{caption}: {files.without_surrogates(label)}", _tile(picture))]
    classes, counts = np.unique(labels[labels >= 0], return_counts=True)
    by_size = classes[np.argsort(-counts)]
    named = ", ".join(files.without_surrogates(schema.names[c]) for c in by_size)
    mask = schema.colourize(np.asarray(labels))
    return [(caption, _tile(picture)), (named, _tile(mask, smooth=False)), *_both(picture, mask)]


def _broken(source: Source, index: int, photos: PhotoReader) -> Panel:
    """The tiles of an example that cannot be used: its files as they are, with ids and sizes."""
    if not isinstance(source, ImagePairs):
        return []
    panel: Panel = []
    image_path, _ = source.pairs[index]
    with contextlib.suppress(DataError):
        image = read_photo(image_path, source.decoding).image
        picture = _rgb(photos.picture(np.asarray(image)))
        size = f"{picture.shape[1]}x{picture.shape[0]}"
        name = files.without_surrogates(image_path.name)
        panel.append((f"! {name} {size}", _tile(picture)))
    with contextlib.suppress(DataError):
        mask_path, decoded = source.raw_mask(index)
        mask, told = _as_it_is(decoded, mask_path)
        size = f"{mask.shape[1]}x{mask.shape[0]}"
        panel.append((f"! mask {size} {told}", _tile(mask, smooth=False)))
    return panel


def _as_it_is(decoded: Decoded, path) -> tuple[np.ndarray, str]:
    """The picture of a mask's file, uint8 `[h, w, 3]`, and its ids in words."""
    header = decoded.header
    if header.is_lossy or header.mode in ("RGB", "RGBA"):
        return np.asarray(to_rgb(decoded, path)), "colours"
    ids = ids_of(decoded, path)
    found, numbers = np.unique(ids, return_inverse=True)
    if len(found) > _MOST_COLOURS:
        return np.asarray(to_rgb(decoded, path)), f"{len(found)} ids"
    colours = np.asarray(palettes.distinct(max(2, len(found))), np.uint8)
    return colours[numbers.reshape(ids.shape)], f"ids {', '.join(map(str, found.tolist()))}"


def _both(image: np.ndarray, mask: np.ndarray) -> Panel:
    return [("together", _tile(grids.overlay(image, mask)))]


def _rgb(image) -> np.ndarray:
    """An image as uint8 `[height, width, 3]`."""
    array = np.asarray(image)
    array = array[..., None] if array.ndim == 2 else array
    return np.ascontiguousarray(np.broadcast_to(array[..., :3], (*array.shape[:2], 3)))


def _tile(picture: np.ndarray, *, smooth: bool = True) -> np.ndarray:
    """A picture in the middle of a grey square, as large as it fits."""
    image = Image.fromarray(picture)
    scale = _SIDE / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    way = Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST
    canvas = Image.new("RGB", (_SIDE, _SIDE), (_GREY,) * 3)
    corner = (_SIDE - width) // 2, (_SIDE - height) // 2
    canvas.paste(image.resize((width, height), way), corner)
    return np.asarray(canvas)
