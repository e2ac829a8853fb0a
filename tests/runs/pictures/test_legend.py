"""The legend shows the colour, the ids and the name of every class."""

import numpy as np
import pytest

from symmflow_jax.runs.pictures.legend import legend
from symmflow_jax.semantics import labels
from symmflow_jax.semantics.labels import LabelSchema


@pytest.mark.parametrize("num_classes", [1, 3, 182])
def test_every_class_has_a_swatch_of_its_colour(num_classes):
    schema = labels.consecutive(tuple(f"class {number}" for number in range(num_classes)))
    picture = legend(schema)
    found = {tuple(colour) for colour in np.unique(picture.reshape(-1, 3), axis=0).tolist()}
    assert found >= set(schema.palette)
    swatch = np.all(picture == schema.palette[-1], axis=-1).sum()
    assert swatch > 300  # More than letters of that colour would have.
    assert max(picture.shape) < 2000


def test_what_is_written_beside_a_swatch_differs():
    """Names of letters beyond Latin-1, merged ids and ignored classes are written."""
    palette = ((255, 0, 0), (0, 0, 255))
    plain = LabelSchema(("a", "b"), (0, 1), palette)
    others = [
        LabelSchema(("a", "дом"), (0, 1), palette),
        LabelSchema(("a", "b"), (0, 1), palette, merged_ids=((7, 1),)),
        LabelSchema(("a", "b"), (0, 1), palette, ignored=(1,)),
        LabelSchema(("a", "b\udce9"), (0, 1), palette),
        LabelSchema(("a", "b" * 200), (0, 1), palette),
    ]
    pictures = [legend(schema).tobytes() for schema in (plain, *others)]
    assert len(set(pictures)) == len(pictures)
    assert legend(others[-1]).shape[1] < 600
