"""CelebAMask-HQ (Lee et al. 2020, arXiv 1907.11922): faces with one mask file per part."""

import contextlib
import os
import pathlib
import tempfile
from typing import Any

import numpy as np
from PIL import Image

from symmflow_jax.data.image_files import DEFAULT, Decoding, decode, open_image, to_rgb
from symmflow_jax.data.masks.ids import read_mask, refuse_lossy
from symmflow_jax.data.source import DataError, check_split
from symmflow_jax.data.sources.segmentation.image_pairs import to_classes
from symmflow_jax.semantics import palettes
from symmflow_jax.semantics.labels import LabelSchema

# The parts in drawing order, later ones over earlier ones; ids start with 1.
_PARTS = (
    "skin", "nose", "eye_g", "l_eye", "r_eye", "l_brow", "r_brow", "l_ear", "r_ear", "mouth",
    "u_lip", "l_lip", "hair", "hat", "ear_r", "neck_l", "neck", "cloth",
)  # fmt: skip

SCHEMA = LabelSchema(
    names=("background", *_PARTS),
    raw_ids=tuple(range(len(_PARTS) + 1)),
    palette=palettes.CELEBAMASK_HQ,
    ignored=(0,),
    # "l_" and "r_" are the person's own sides, so mirroring turns a left eye into a right one.
    mirrored=((4, 5), (6, 7), (8, 9)),
)
"""Background and 18 parts; the background counts in no score, as in the paper."""

_IMAGES, _PART_MASKS, _MASKS = "CelebA-HQ-img", "CelebAMask-HQ-mask-anno", "CelebAMask-HQ-mask"
_MAPPING = "CelebA-HQ-to-CelebA-mapping.txt"
_FACES_PER_FOLDER = 2000
# CelebA's own partition by the index of the original image.
_FIRST_VALIDATION, _FIRST_TEST = 162_771, 182_638
# Shares of the faces by number, if the mapping file is missing.
_SHARES = {"train": (0.0, 0.8), "val": (0.8, 0.9), "test": (0.9, 1.0)}


class CelebAMaskHQ:
    """Faces "image" with "mask" in the size of the image (1024x1024 as published).

    A mask is read from `CelebAMask-HQ-mask/N.png` if that file exists. Otherwise it is merged from
    the parts `CelebAMask-HQ-mask-anno/K/NNNNN_part.png` and saved as `CelebAMask-HQ-mask/N.png`
    if the folder is writable. Masks are smaller than their image by a whole factor (2 as
    published), so each mask pixel is repeated and ids stay exact.

    Args:
        root: the unpacked folder CelebAMask-HQ.
        split: "train", "val" or "test": CelebA's own partition by
            `CelebA-HQ-to-CelebA-mapping.txt` (24,183, 2,993 and 2,824 faces). Without that
            file: the first 80 %, the next 10 % and the last 10 % of the faces by number.
        decoding: limit of the files' sizes, and whether EXIF orientations count.

    Raises:
        DataError: if a folder is missing or empty, or the mapping file is broken or incomplete.
        ValueError: if there is no such split.
    """

    def __init__(self, root: str | pathlib.Path, split: str, decoding: Decoding = DEFAULT):
        check_split(split, tuple(_SHARES))
        self._root = pathlib.Path(root)
        self._decoding = decoding
        folder = self._root / _IMAGES
        numbers = sorted(int(path.stem) for path in folder.glob("*.jpg") if path.stem.isdigit())
        if not numbers:
            raise DataError(
                f"{folder.absolute()} has no faces N.jpg. Unpack CelebAMask-HQ.zip "
                "(github.com/switchablenorms/CelebAMask-HQ) and set --config.data.dir to the "
                "folder CelebAMask-HQ."
            )
        if not any((self._root / name).is_dir() for name in (_PART_MASKS, _MASKS)):
            raise DataError(
                f"{self._root.absolute()} has neither {_PART_MASKS} nor {_MASKS}; unpack "
                "CelebAMask-HQ.zip again."
            )
        self._numbers = _split(self._root / _MAPPING, numbers, split)

    @property
    def schemas(self) -> dict[str, LabelSchema]:
        """The classes of "mask"."""
        return {"mask": SCHEMA}

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: int) -> dict[str, Any]:
        number = self._numbers[index]
        path = self._root / _IMAGES / f"{number}.jpg"
        image, mask = open_image(path, self._decoding), self._mask(number)
        scale = image.height // mask.shape[0] if mask.size else 0
        if (mask.shape[0] * scale, mask.shape[1] * scale) != (image.height, image.width):
            raise DataError(
                f"{path} is {image.width}x{image.height}, which is no multiple of its mask "
                f"of {mask.shape[1]}x{mask.shape[0]}; unpack the face and its mask again."
            )
        return {"image": image, "mask": np.repeat(np.repeat(mask, scale, 0), scale, 1)}

    def _mask(self, number: int) -> np.ndarray:
        merged = self._root / _MASKS / f"{number}.png"
        if merged.exists():
            return to_classes(read_mask(merged, self._decoding), SCHEMA, merged)
        mask = _merge_parts(self._root / _PART_MASKS, number, self._decoding)
        _keep(merged, mask)
        return mask


def _split(mapping: pathlib.Path, numbers: list[int], split: str) -> list[int]:
    if not mapping.exists():
        first, end = (round(share * len(numbers)) for share in _SHARES[split])
        return numbers[first:end]
    originals = _read_mapping(mapping)
    missing = [number for number in numbers if number not in originals]
    if missing:
        raise DataError(f"{mapping} has no line for face {missing[0]}; unpack it again.")
    return [number for number in numbers if _split_of(originals[number]) == split]


def _read_mapping(mapping: pathlib.Path) -> dict[int, int]:
    """The index in CelebA of each face's original image, by the number of the face."""
    lines = mapping.read_text().splitlines()[1:]
    try:
        return {int(words[0]): int(words[1]) for words in map(str.split, lines) if words}
    except (ValueError, IndexError) as error:
        raise DataError(f"{mapping} is broken ({error}); unpack it again.") from error


def _split_of(original: int) -> str:
    if original < _FIRST_VALIDATION:
        return "train"
    return "val" if original < _FIRST_TEST else "test"


def _merge_parts(folder: pathlib.Path, number: int, decoding: Decoding) -> np.ndarray:
    """Merges the existing parts, later ones over earlier ones, int32 `[height, width]`."""
    folder = folder / str(number // _FACES_PER_FOLDER)
    mask: np.ndarray | None = None
    for part_id, part in enumerate(_PARTS, start=1):
        path = folder / f"{number:05d}_{part}.png"
        if not path.exists():
            continue
        part_file = decode(path, decoding)
        refuse_lossy(part_file.header, path)
        present = np.asarray(to_rgb(part_file, path))[..., 0] > 0
        if mask is None:
            mask = np.zeros(present.shape, np.int32)
        if present.shape != mask.shape:
            raise DataError(f"{path} has another size than the parts before it; unpack it again.")
        mask[present] = part_id
    if mask is None:
        raise DataError(
            f"Face {number} has no parts {number:05d}_*.png in {folder}; "
            "unpack CelebAMask-HQ.zip again."
        )
    return mask


def _keep(path: pathlib.Path, mask: np.ndarray) -> None:
    """Writes a merged mask atomically; does nothing if the file system refuses.

    The masks of a read-only data set are merged at every access.
    """
    with contextlib.suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(suffix=".tmp", dir=path.parent, delete=False) as file:
            try:
                Image.fromarray(mask.astype(np.uint8)).save(file, format="PNG")
                file.flush()
                os.replace(file.name, path)
            except OSError:
                os.unlink(file.name)
                raise
