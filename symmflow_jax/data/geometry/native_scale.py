"""The scale at which a model sees the pictures that it is trained on."""

import statistics

from symmflow_jax.data.pipeline import Preparation
from symmflow_jax.data.source import DataError, Source
from symmflow_jax.data.transforms import image_size

_MOST_PICTURES = 16  # Spread evenly; each is decoded, which takes up to a tenth of a second.


def native_scale(source: Source, preparation: Preparation) -> float | None:
    """Pixels of the model for each pixel of a picture, the median over some pictures.

    A run keeps it, so that windows over a large image show what the model has learned.

    Args:
        source: the pictures that the model is trained on.
        preparation: how they come to the model's size.

    Returns:
        the scale; None for points, or if no picture can be read.
    """
    if not preparation.image_size:
        return None
    step = max(1, -(-len(source) // _MOST_PICTURES))
    scales = []
    for index in range(0, len(source), step):
        try:
            element = source[index]
        except DataError:
            continue
        if "image" in element:  # A mask may have no image.
            height, width = image_size(element["image"])
            scales.append(preparation.scale((height, width)))
    return statistics.median(scales) if scales else None
