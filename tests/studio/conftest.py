"""A studio without a network: what routes, queue and sessions do is seen in moments."""

import asyncio
import base64
import io
import types

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.semantics.labels import LabelSchema
from symmflow_jax.studio.engine import Ranking, Reading
from symmflow_jax.studio.jobs import Queue
from symmflow_jax.studio.web.uploads import as_png

SIZE = (6, 8)
"""Height and width of the photos of these tests."""

SCHEMA = LabelSchema(
    names=("sky", "tree", "road"),
    raw_ids=(10, 20, 300),
    palette=((0, 0, 255), (0, 255, 0), (90, 90, 90)),
)


class StandIn:
    """An engine whose pictures show the classes, as grey levels, and the seed.

    Args:
        reads_masks: whether it knows masks or labels.
        knows_unknown: whether pixels may be without a class.
    """

    def __init__(self, reads_masks: bool = True, knows_unknown: bool = False):
        self.knows_unknown = knows_unknown
        schema = SCHEMA.with_unknown() if knows_unknown else SCHEMA
        self.model = types.SimpleNamespace(
            reads_masks=reads_masks, schema=schema, image_shape=(*SIZE, 3), step=7
        )
        self.regions: list = []

    def about(self):
        return {"reads_masks": self.model.reads_masks, "can_edit": True}

    def read(self, pixels, progress):
        progress(0.0, "Reading")
        classes = (pixels[..., 0] > 127).astype(np.int32)
        return Reading(classes, np.where(classes, 1.0, 0.5).astype(np.float32))

    def edit(self, pixels, source, classes, region, settings, progress):
        self.regions.append(region)
        made = []
        for number, seed in enumerate(settings.seeds):
            progress(number / settings.num_variants, "Editing")
            picture = np.where((classes != source)[..., None], 0, pixels).astype(np.uint8)
            picture[0, 0] = seed % 256
            made.append(picture)
        return made

    def generate(self, condition, settings, progress):
        progress(0.0, "Making")
        level = int(np.max(condition)) + 1
        return [np.full((*SIZE, 3), level * 10 + seed, np.uint8) for seed in settings.seeds]

    def classify(self, pixels, progress):
        progress(0.0, "Reading")
        share = float(pixels.mean() / 255)
        return Ranking(np.asarray([share, 1 - share, 0.0]), are_votes=False)


@pytest.fixture
def stand_in():
    """The class of an engine without a network."""
    return StandIn


@pytest.fixture
def queue():
    """A queue that works."""
    queue = Queue()
    queue.start()
    yield queue
    queue.close()


@pytest.fixture
def photo() -> bytes:
    """A PNG whose right half is white."""
    pixels = np.zeros((*SIZE, 3), np.uint8)
    pixels[:, 4:] = 255
    return as_png(pixels)


@pytest.fixture
def encoded():
    """A function from numbers to the Base64 of a grey PNG, as the page sends masks."""

    def encode(numbers) -> str:
        buffer = io.BytesIO()
        Image.fromarray(np.asarray(numbers)).save(buffer, "PNG")
        return base64.b64encode(buffer.getvalue()).decode()

    return encode


@pytest.fixture
def run_async():
    """A function that runs a coroutine to its end."""
    return asyncio.run
