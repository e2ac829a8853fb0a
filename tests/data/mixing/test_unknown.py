"""Ignored classes as unknown pixels, and examples that lack a component."""

import numpy as np

from symmflow_jax.data.mixing.unknown import Completed, IgnoredAsUnknown
from symmflow_jax.semantics.labels import filed_under


class _Masks:
    schemas = {"mask": filed_under((0, 9, 2), ("sky", "nothing", "road"), ignored_id=9)}
    files = ("a.png",)

    def __init__(self, *elements):
        self._elements = elements

    def __len__(self):
        return len(self._elements)

    def __getitem__(self, index):
        return self._elements[index]


def test_ignored_classes_are_unknown_and_the_others_close_up():
    mask = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    source = IgnoredAsUnknown(_Masks({"image": "x", "mask": mask}, {"image": "y"}), "mask")
    assert len(source) == 2 and source.files == ("a.png",)
    np.testing.assert_array_equal(source[0]["mask"], [[0, -1, 1], [1, -1, 0]])
    assert source[0]["image"] == "x"
    assert source[1] == {"image": "y"}
    schema = source.schemas["mask"]
    assert schema.names == ("sky", "road") and schema.unknown_ids == (9,)


def test_what_an_example_lacks_is_filled_and_told():
    mask = np.array([[0, 1]], np.uint8)
    image = np.ones((2, 3, 3), np.uint8)
    whole, no_mask, no_image = (
        Completed(_Masks(element), "mask")[0]
        for element in ({"image": image[:1, :2], "mask": mask}, {"image": image}, {"mask": mask})
    )
    assert whole["has_image"] and whole["has_labels"]
    np.testing.assert_array_equal(no_mask["mask"], np.full((2, 3), -1))
    assert no_mask["has_image"] and not no_mask["has_labels"]
    np.testing.assert_array_equal(no_image["image"], np.zeros((1, 2, 3)))
    assert no_image["has_labels"] and not no_image["has_image"]


def test_a_label_that_is_not_there_is_a_number():
    element = Completed(_Masks({"image": np.zeros(2, np.float32)}), "label")[0]
    assert element["label"].shape == () and element["label"] == -1
