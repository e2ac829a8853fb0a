"""Which mask belongs to which image, and when this is not certain."""

import pathlib

import pytest
from hypothesis import given, strategies as st

from symmflow_jax.data.folders.listing import Listing
from symmflow_jax.data.folders.pairing import pair
from symmflow_jax.data.source import DataError

IMAGES, MASKS = pathlib.Path("images"), pathlib.Path("masks")


def listing(folder, names):
    return Listing(folder, {name: folder / f"{name}.png" for name in names}, {}, {})


def paired(images, masks):
    """Names of the pairs, and the notes."""
    found = pair(listing(IMAGES, images), listing(MASKS, masks))
    return [(image.stem, mask.stem) for image, mask in found.pairs], found.notes


def test_equal_names_pair_without_a_word():
    assert paired("ba", "ab") == ([("a", "a"), ("b", "b")], ())


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        (("IMG_1", "IMG_2"), ("img_1", "img_2")),
        (("a", "b"), ("a_mask", "b_mask")),
        (("a", "b"), ("a_label", "B_GT")),
        (("a", "b"), ("a-seg", "b_segmentation")),
        (("a.ome", "b.ome"), ("a", "b")),
        (("a.ome", "b.ome"), ("a_mask.ome", "b_mask.ome")),
        (("0001TP_6690", "0001TP_6720"), ("0001TP_6690_L", "0001TP_6720_L")),
        (("a_image", "b_image"), ("a_mask", "b_mask")),
        (("1_sat", "2_sat"), ("1", "2")),
        (("a", "a_b"), ("a", "a_b_mask")),
        (("A", "a"), ("A_mask", "a_mask")),
    ],
)
def test_case_and_usual_endings_are_matched_and_said(images, masks):
    pairs, notes = paired(images, masks)
    assert pairs == list(zip(images, masks, strict=True))
    (note,) = notes
    assert "of another name than the image" in note and "such as" in note


def test_one_nested_side_matches_a_flat_one():
    pairs, notes = paired(("bonn/1", "ulm/2"), ("1", "2"))
    assert pairs == [("1", "1"), ("2", "2")]
    assert notes == (
        "2 masks of another name than the image were matched, such as 1.png to bonn/1.png",
    )


@pytest.mark.parametrize(
    ("images", "masks", "message"),
    [
        ("a", ("a_gt", "a_mask"), "a_gt.png and a_mask.png in masks may all be the mask of a.png"),
        ("a", ("a", "a_mask"), "a.png and a_mask.png in masks may all be the mask of a.png"),
        (("A", "a"), ("a_mask",), "a_mask.png in masks may be the mask of A.png and a.png"),
        # "a" to "a_l" would part what has one name.
        (("a", "a_l"), ("a_l", "a_l_l"), "a_l.png and a_l_l.png in masks may all be"),
        (("x/1", "y/1"), ("1", "2"), "1.png in masks may be the mask of x/1.png and y/1.png"),
    ],
)
def test_two_candidates_are_an_error_that_names_both(images, masks, message):
    with pytest.raises(DataError) as error:
        paired(images, masks)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("images", "masks", "message"),
    [
        (("a", "b"), ("a_mask",), "a_mask.png in masks is probably the mask of a.png."),
        (("img_001", "img_002"), ("m-1", "m-2"), "m-1.png in masks is probably the mask of img_0"),
        (("harbour", "x"), ("harbor", "y"), "harbor.png in masks is probably the mask of harbour"),
    ],
)
def test_the_pair_that_was_probably_meant_is_named(images, masks, message):
    with pytest.raises(DataError) as error:
        paired(images, masks)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_other_numbers_are_no_guess():
    with pytest.raises(DataError) as error:
        paired(("img_001", "img_002"), ("img_003", "img_004"))
    assert "probably" not in str(error.value)


@given(
    st.lists(st.text("aAbB_lL1.", min_size=1, max_size=6), min_size=1, max_size=5, unique=True),
    st.lists(st.text("aAbB_lL1.", min_size=1, max_size=6), min_size=1, max_size=5, unique=True),
)
def test_each_file_has_one_partner_and_equal_names_stay_together(images, masks):
    try:
        found = pair(listing(IMAGES, images), listing(MASKS, masks))
    except DataError:
        assert set(images) != set(masks)
        return
    assert {image for image, _ in found.pairs} == {IMAGES / f"{name}.png" for name in images}
    assert {mask for _, mask in found.pairs} == {MASKS / f"{name}.png" for name in masks}
    assert len(found.pairs) == len(images) == len(masks)
    for image, mask in found.pairs:
        assert image.name == mask.name or image.stem not in masks
