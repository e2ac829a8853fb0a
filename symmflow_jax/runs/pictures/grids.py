"""Grids of examples and overlays, as uint8 RGB arrays `[height, width, 3]`."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from symmflow_jax.runs.pictures import plots
from symmflow_jax.semantics.labels import LabelSchema

_MARGIN = 4
_CAPTION = 14
_LONGEST_CAPTION = 150
_MOST_LINES = 4
_WHITE, _BLACK = 255, (0, 0, 0)
_SMALLEST_TILE = 96  # In pixels; narrower images are enlarged by an integer factor.


def sample_grid(sample: dict[str, np.ndarray], schema: LabelSchema) -> np.ndarray:
    """A grid of real, generated and predicted examples: masks, labels or scatter plots.

    Args:
        sample: arrays "image", "labels", "generated" and "predicted", `[count, ...]`; without
            semantics only "image" and "generated", and without one of the tasks no array of it.
        schema: the classes.
    """
    if "labels" not in sample:
        return plots.point_pair(sample) if sample["image"].ndim == 2 else image_grid(sample)
    if sample["image"].ndim == 2:
        return plots.point_plots(sample, schema)
    if sample["labels"].ndim == 3:
        return mask_grid(sample, schema)
    return label_grid(sample, schema)


def image_grid(sample: dict[str, np.ndarray]) -> np.ndarray:
    """A grid with a row of real images above a row of generated ones."""
    return tiles(
        [
            [(name if index == 0 else "", image) for index, image in enumerate(sample[key])]
            for name, key in (("real", "image"), ("generated", "generated"))
        ]
    )


def mask_grid(sample: dict[str, np.ndarray], schema: LabelSchema) -> np.ndarray:
    """A grid with rows of real image, its mask, image generated from it, and predicted mask."""
    columns = [("real", sample["image"]), ("mask", schema.colourize(sample["labels"]))]
    if "generated" in sample:
        columns.append(("generated", sample["generated"]))
    if "predicted" in sample:
        columns.append(("predicted", schema.colourize(sample["predicted"])))
    rows = [
        [(name if index == 0 else "", images[index]) for name, images in columns]
        for index in range(len(sample["image"]))
    ]
    return tiles(rows)


def label_grid(
    sample: dict[str, np.ndarray], schema: LabelSchema, examples_per_row: int = 5
) -> np.ndarray:
    """A grid of real images with predicted labels, each beside one generated from its label."""
    pairs = [_labelled_pair(sample, schema, index) for index in range(len(sample["image"]))]
    rows = [
        [tile for pair in pairs[start : start + examples_per_row] for tile in pair]
        for start in range(0, len(pairs), examples_per_row)
    ]
    return tiles(rows)


def _labelled_pair(
    sample: dict[str, np.ndarray], schema: LabelSchema, index: int
) -> list[tuple[str, np.ndarray]]:
    """A real image, and the generated one if there is any, with captions."""
    name = schema.names[sample["labels"][index]]
    has_predicted = "predicted" in sample
    read = f", read {schema.names[sample['predicted'][index]]}" if has_predicted else ""
    found = [(f"{name}{read}", sample["image"][index])]
    if "generated" in sample:
        found.append((f"made as {name}", sample["generated"][index]))
    return found


def tiles(rows: Sequence[Sequence[tuple[str, np.ndarray]]]) -> np.ndarray:
    """A grid of captioned images, uint8 `[height, width, 3]`.

    A caption has as many lines as it needs, up to `_MOST_LINES`, each as wide as its image.

    Args:
        rows: rows of captions and uint8 images `[h, w, 1 or 3]`, all of one size; rows may
            differ in length.
    """
    pictures = [[(caption, _enlarge(image)) for caption, image in row] for row in rows]
    height, width = pictures[0][0][1].shape[:2]
    captions = [["\n".join(_lines(caption, width)) for caption, _ in row] for row in rows]
    num_lines = max(1 + text.count("\n") for row in captions for text in row)
    caption_height = num_lines * _CAPTION
    row_height, column_width = height + caption_height + _MARGIN, width + _MARGIN
    shape = (
        row_height * len(rows) + _MARGIN,
        column_width * max(len(row) for row in rows) + _MARGIN,
        3,
    )
    canvas = Image.fromarray(np.full(shape, _WHITE, np.uint8))
    draw = ImageDraw.Draw(canvas)
    for row_index, row in enumerate(pictures):
        for column_index, (_, picture) in enumerate(row):
            left = _MARGIN + column_index * column_width
            top = _MARGIN + row_index * row_height
            draw.text((left, top), captions[row_index][column_index], fill=_BLACK, spacing=2)
            canvas.paste(Image.fromarray(picture), (left, top + caption_height))
    return np.asarray(canvas)


def _lines(caption: str, width: int) -> list[str]:
    """The lines of a caption: as many words as fit in a width, in pixels, and at least one.

    A line that is too long, or the last one of too many, is cut and ends in dots.
    """
    draw = ImageDraw.Draw(Image.new("L", (1, 1)))

    def fits(text: str) -> bool:
        return draw.textlength(text) <= width

    def cut(text: str) -> str:
        if fits(text):
            return text
        text = text[:_LONGEST_CAPTION]
        return next(
            (f"{text[:n]}..." for n in range(len(text), 0, -1) if fits(text[:n] + "...")), ""
        )

    lines = [""]
    for word in caption.split():
        longer = f"{lines[-1]} {word}".strip()
        if fits(longer) or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    shown, rest = lines[:_MOST_LINES], lines[_MOST_LINES:]
    if rest:
        shown[-1] = f"{shown[-1]} {rest[0]}"
    return [cut(line) for line in shown]


def beside(captioned: Sequence[tuple[str, np.ndarray]]) -> np.ndarray:
    """Images of any sizes in one row, aligned at the top, uint8 `[height, width, 3]`.

    Args:
        captioned: captions and uint8 images `[h, w, 3]`.
    """
    sizes = np.asarray([picture.shape[:2] for _, picture in captioned])
    height, width = _CAPTION + sizes[:, 0].max(), sizes[:, 1].sum()
    canvas = Image.fromarray(np.full((height, width, 3), _WHITE, np.uint8))
    draw, left = ImageDraw.Draw(canvas), 0
    for caption, picture in captioned:
        draw.text((left + _MARGIN, 0), caption, fill=_BLACK)
        canvas.paste(Image.fromarray(picture), (left, _CAPTION))
        left += picture.shape[1]
    return np.asarray(canvas)


def overlay(image: np.ndarray, mask_image: np.ndarray, opacity: float = 0.5) -> np.ndarray:
    """A coloured mask over an image, uint8 `[height, width, 3]`; `opacity` is in [0, 1]."""
    mixed = (1 - opacity) * image.astype(np.float32) + opacity * mask_image.astype(np.float32)
    return np.round(mixed).astype(np.uint8)


def _enlarge(image: np.ndarray) -> np.ndarray:
    """An image as RGB, enlarged by an integer factor if it is small."""
    factor = max(1, -(-_SMALLEST_TILE // image.shape[1]))
    image = np.broadcast_to(image, (*image.shape[:2], 3))
    return np.repeat(np.repeat(image, factor, axis=0), factor, axis=1)
