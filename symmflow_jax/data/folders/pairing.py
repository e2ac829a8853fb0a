"""Pairs of images and masks by their names, exactly or where only one reading is possible."""

import dataclasses
import difflib
import pathlib
import re
from collections.abc import Callable, Iterator, Mapping

from symmflow_jax.data.folders.listing import Listing, counted, shorten
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.errors import shown

_NUM_GUESSES = 3
_MOST_COMPARED = 1000  # Comparing names takes time.
_LEAST_LIKENESS = 0.75

_MASK_ENDING = re.compile(
    r"(?<=[^/])(?:[_\-. ](?:masks?|labels?|labelids|lbl|gt|ground_?truth|seg|segmentation|anno|"
    r"annotation|l)|\.ome)$",
    re.IGNORECASE,
)
_IMAGE_ENDING = re.compile(
    r"(?<=[^/])(?:[_\-. ](?:image|img|im|photo|rgb|sat|leftimg8bit)|\.ome)$", re.IGNORECASE
)

_Name = Callable[[str], str]


@dataclasses.dataclass(frozen=True)
class Pairing:
    """Images with their masks.

    Attributes:
        pairs: files of each image and its mask, in the order of the images' names.
        notes: a sentence on pairs whose names differ, if there are any.
    """

    pairs: tuple[tuple[pathlib.Path, pathlib.Path], ...]
    notes: tuple[str, ...] = ()


def pair(images: Listing, masks: Listing) -> Pairing:
    """Pairs the images of a folder with the masks of another one.

    Names are equal except for the suffix. If they are not, they may differ in upper and lower
    case, in the usual endings such as "_mask", or in the sub-folder, provided that each image has
    exactly one mask and each mask exactly one image.

    Raises:
        DataError: if a file has no partner or several; it names the pairs that were probably
            meant.
    """
    if images.pictures.keys() == masks.pictures.keys():
        names = sorted(images.pictures)
        return Pairing(tuple((images.pictures[name], masks.pictures[name]) for name in names))
    for image_name, mask_name in ways():
        partners = _match(images.pictures, masks.pictures, image_name, mask_name)
        if partners is not None:
            return Pairing(
                tuple((images.pictures[a], masks.pictures[b]) for a, b in sorted(partners.items())),
                (_note(partners, images, masks),),
            )
    raise DataError(_complaint(images, masks))


def ways() -> Iterator[tuple[_Name, _Name]]:
    """Simpler names of images and of masks, from the nearest to the farthest."""
    for part in (_whole, _last):
        for case in (_whole, str.casefold):
            for image_ending, mask_ending in (
                (None, None),
                (None, _MASK_ENDING),
                (_IMAGE_ENDING, None),
                (_IMAGE_ENDING, _MASK_ENDING),
            ):
                yield _simplified(part, case, image_ending), _simplified(part, case, mask_ending)


def _whole(name: str) -> str:
    return name


def _last(name: str) -> str:
    """The name without its folders."""
    return name.rpartition("/")[2]


def _simplified(part: _Name, case: _Name, ending: re.Pattern | None) -> _Name:
    def simplify(name: str) -> str:
        name = part(name)
        while ending is not None and ending.search(name):
            name = ending.sub("", name)
        return case(name)

    return simplify


def _match(
    images: Mapping[str, object], masks: Mapping[str, object], image_name: _Name, mask_name: _Name
) -> dict[str, str] | None:
    """The mask's name of each image's name, or None unless simpler names pair all of them."""
    by_image = {image_name(name): name for name in images}
    by_mask = {mask_name(name): name for name in masks}
    if (
        len(by_image) < len(images)
        or len(by_mask) < len(masks)
        or by_image.keys() != by_mask.keys()
    ):
        return None
    partners = {by_image[name]: by_mask[name] for name in by_image}
    # A simpler reading must not part what has one name.
    is_parted = any(name in masks and partner != name for name, partner in partners.items())
    return None if is_parted else partners


def _note(partners: Mapping[str, str], images: Listing, masks: Listing) -> str:
    unequal = sorted((image, mask) for image, mask in partners.items() if image != mask)
    image, mask = unequal[0]
    return (
        f"{counted(len(unequal), 'mask')} of another name than the image "
        f"{'was' if len(unequal) == 1 else 'were'} matched, such as "
        f"{_in_folder(masks, mask)} to {_in_folder(images, image)}"
    )


def _complaint(images: Listing, masks: Listing) -> str:
    """A message on all files without a partner."""
    lonely_images = sorted(images.pictures.keys() - masks.pictures.keys())
    lonely_masks = sorted(masks.pictures.keys() - images.pictures.keys())
    parts = [
        f"{len(names)} of the files in {shown(listing.folder)} have no {partner} of the same name "
        f"in {shown(other.folder)}: {shorten(_in_folder(listing, name) for name in names)}."
        for listing, partner, other, names in (
            (images, "mask", masks, lonely_images),
            (masks, "image", images, lonely_masks),
        )
        if names
    ]
    parts += _guesses(images, masks, lonely_images, lonely_masks)
    parts += [
        f"Not used in {shown(listing.folder)}: {listing.unused}."
        for listing in (images, masks)
        if listing.unused
    ]
    parts.append("Give each mask the name of its image, add the missing files or remove these.")
    return " ".join(parts)


def _guesses(
    images: Listing, masks: Listing, lonely_images: list[str], lonely_masks: list[str]
) -> list[str]:
    """Sentences on pairs that were probably meant, and on masks that compete for an image."""
    *_, (image_name, mask_name) = ways()
    groups: dict[str, tuple[list[str], list[str]]] = {}
    for place, listing, simplify in ((0, images, image_name), (1, masks, mask_name)):
        for name in sorted(listing.pictures):
            groups.setdefault(simplify(name), ([], []))[place].append(name)
    sentences = []
    for found_images, found_masks in groups.values():
        if len(found_images) == len(found_masks) == 1 and found_images != found_masks:
            sentences.append(_probable(images, found_images[0], masks, found_masks[0]))
        elif found_images and found_masks and set(found_images) != set(found_masks):
            sentences.append(_rivals(images, found_images, masks, found_masks))
    if not sentences:
        candidates = lonely_images[:_MOST_COMPARED]
        for name in lonely_masks[:_NUM_GUESSES]:
            image = _nearest(name, candidates)
            sentences += [_probable(images, image, masks, name)] if image else []
    return sentences[:_NUM_GUESSES]


def _probable(images: Listing, image: str, masks: Listing, mask: str) -> str:
    return (
        f"{_in_folder(masks, mask)} in {shown(masks.folder)} is probably the mask of "
        f"{_in_folder(images, image)}."
    )


def _rivals(
    images: Listing, found_images: list[str], masks: Listing, found_masks: list[str]
) -> str:
    mask_files = " and ".join(_in_folder(masks, name) for name in found_masks)
    image_files = " and ".join(_in_folder(images, name) for name in found_images)
    if len(found_masks) == 1:
        return f"{mask_files} in {shown(masks.folder)} may be the mask of {image_files}."
    return f"{mask_files} in {shown(masks.folder)} may all be the mask of {image_files}; keep one."


def _nearest(mask: str, images: list[str]) -> str | None:
    """The most similar name with the same numbers, whatever their leading zeros."""
    numbers = _numbers(mask)
    candidates = [name for name in images if _numbers(name) == numbers]
    if numbers and len(candidates) == 1:
        return candidates[0]
    found = difflib.get_close_matches(mask, candidates, n=1, cutoff=_LEAST_LIKENESS)
    return found[0] if found else None


def _numbers(name: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"[0-9]+", name)]


def _in_folder(listing: Listing, name: str) -> str:
    """The path of a picture in its folder, for messages."""
    return shown(listing.pictures[name].relative_to(listing.folder))
