"""Pairs of images and masks by their names, where some have no partner."""

import pathlib
from typing import NamedTuple

from symmflow_jax.data.folders.listing import Listing
from symmflow_jax.data.folders.pairing import ways


class PartialPairing(NamedTuple):
    """What fits, and the rest, in the order of their names.

    Attributes:
        pairs: files of each image and its mask.
        images: images without a mask.
        masks: masks without an image.
    """

    pairs: tuple[tuple[pathlib.Path, pathlib.Path], ...]
    images: tuple[pathlib.Path, ...]
    masks: tuple[pathlib.Path, ...]


def pair_what_fits(images: Listing, masks: Listing) -> PartialPairing:
    """Pairs images and masks by the reading of their names that pairs most of them.

    The readings are those of `pair`, the nearest first. One in which two files share a name does
    not count.
    """
    partners: dict[str, str] = {}
    for image_name, mask_name in ways():
        by_image = {image_name(name): name for name in images.pictures}
        by_mask = {mask_name(name): name for name in masks.pictures}
        if len(by_image) < len(images.pictures) or len(by_mask) < len(masks.pictures):
            continue
        found = {by_image[name]: by_mask[name] for name in by_image.keys() & by_mask.keys()}
        if len(found) > len(partners):
            partners = found
    taken = set(partners.values())
    return PartialPairing(
        tuple((images.pictures[one], masks.pictures[partners[one]]) for one in sorted(partners)),
        tuple(images.pictures[name] for name in sorted(images.pictures.keys() - partners.keys())),
        tuple(masks.pictures[name] for name in sorted(masks.pictures.keys() - taken)),
    )
