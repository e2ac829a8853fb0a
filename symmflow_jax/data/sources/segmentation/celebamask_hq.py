"""CelebAMask-HQ (Lee et al. 2020, arXiv 1907.11922): faces with one mask file per part."""

import contextlib
import dataclasses
import hashlib
import os
import pathlib
import tempfile
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from symmflow_jax.data.decoding.decoding import DEFAULT, Decoding, decode
from symmflow_jax.data.decoding.header import AS_STORED
from symmflow_jax.data.decoding.image_files import to_rgb
from symmflow_jax.data.folders.listing import counted, shorten, walk
from symmflow_jax.data.masks.ids import ids_of, read_mask, refuse_lossy
from symmflow_jax.data.packed.stored import Stored, content_of
from symmflow_jax.data.photos.photo import read_photo
from symmflow_jax.data.source import DataError, check_split
from symmflow_jax.data.sources.segmentation.image_pairs import to_classes
from symmflow_jax.runtime.errors import shown
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
_DIGEST_KEY = "merged from parts"  # Name of a text in the PNG of a merged mask.
# CelebA's own partition by the index of the original image.
_FIRST_VALIDATION, _FIRST_TEST = 162_771, 182_638
# Shares of the faces by number, if the mapping file is missing.
_SHARES = {"train": (0.0, 0.8), "val": (0.8, 0.9), "test": (0.9, 1.0)}


class CelebAMaskHQ:
    """Faces "image" with "mask" in the size of the image (1024x1024 as published).

    A mask is read from `CelebAMask-HQ-mask/N.png` if that file exists. Otherwise it is merged from
    the parts `CelebAMask-HQ-mask-anno/K/NNNNN_part.png` and saved as `CelebAMask-HQ-mask/N.png`
    if the folder is writable. Such a file tells the names and sizes of its parts; if they changed,
    it is merged again. Masks are smaller than their image by a whole factor (2 as
    published), so each mask pixel is repeated and ids stay exact.

    Args:
        root: the unpacked folder CelebAMask-HQ.
        split: "train", "val" or "test": CelebA's own partition by
            `CelebA-HQ-to-CelebA-mapping.txt` (24,183, 2,993 and 2,824 faces). Without that
            file: the first 80 %, the next 10 % and the last 10 % of the faces by number.
        decoding: limit of the files' sizes, and whether EXIF orientations count.

    Attributes:
        notes: at most one sentence, on files that are not used and on faces without a mask.

    Raises:
        DataError: if a folder is missing or empty, or the mapping file is broken or incomplete.
        ValueError: if there is no such split.
    """

    def __init__(self, root: str | pathlib.Path, split: str, decoding: Decoding = DEFAULT):
        check_split(split, tuple(_SHARES))
        self._root = pathlib.Path(root)
        self._decoding = decoding
        folder = self._root / _IMAGES
        numbers, others = _faces(folder)
        if not numbers:
            rest = f", but {counted(len(others), 'other file')}" if others else ""
            raise DataError(
                f"{shown(folder.absolute())} has no faces N.jpg{rest}. Unpack CelebAMask-HQ.zip "
                "(github.com/switchablenorms/CelebAMask-HQ) and set --config.data.dir to the "
                "folder CelebAMask-HQ."
            )
        if not any((self._root / name).is_dir() for name in (_PART_MASKS, _MASKS)):
            raise DataError(
                f"{shown(self._root.absolute())} has neither {_PART_MASKS} nor {_MASKS}; unpack "
                "CelebAMask-HQ.zip again."
            )
        self._numbers = _split(self._root / _MAPPING, numbers, split)
        self.notes = _notes(self._root, self._numbers, set(numbers), others)

    @property
    def schemas(self) -> dict[str, LabelSchema]:
        """The classes of "mask"."""
        return {"mask": SCHEMA}

    @property
    def files(self) -> tuple[pathlib.Path, ...]:
        """The faces; the files of their parts are too many to be listed."""
        return tuple(self._root / _IMAGES / f"{number}.jpg" for number in self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: int) -> dict[str, Any]:
        number = self._numbers[index]
        path = self._root / _IMAGES / f"{number}.jpg"
        photo, mask = read_photo(path, self._decoding), self._mask(number)
        height, width = photo.size
        scale = height // mask.shape[0] if mask.size else 0
        if (mask.shape[0] * scale, mask.shape[1] * scale) != (height, width):
            raise DataError(
                f"{path} is {width}x{height}, which is no multiple of its mask "
                f"of {mask.shape[1]}x{mask.shape[0]}; unpack the face and its mask again."
            )
        return {"image": photo.image, "mask": _enlarged(mask, scale)}

    def stored(self, index: int) -> Stored:
        """An example as its files hold it, with a mask in the size of the image.

        Raises:
            DataError: as an access does.
        """
        mask, orientation = self[index]["mask"], AS_STORED
        number = self._numbers[index]
        merged = self._root / _MASKS / f"{number}.png"
        if self._is_merged(number):
            as_stored = decode(merged, dataclasses.replace(self._decoding, applies_exif=False))
            classes = to_classes(ids_of(as_stored, merged), SCHEMA, merged)
            mask = _enlarged(classes, max(mask.shape) // max(classes.shape))
            orientation = as_stored.header.orientation
        path = self._root / _IMAGES / f"{number}.jpg"
        return Stored(path, content_of(path), mask, orientation)

    def _mask(self, number: int) -> np.ndarray:
        merged = self._root / _MASKS / f"{number}.png"
        if self._is_merged(number):
            return to_classes(read_mask(merged, self._decoding), SCHEMA, merged)
        parts = _parts_of(self._root / _PART_MASKS, number)
        mask = _merge(parts, self._root / _PART_MASKS, number, self._decoding)
        _keep(merged, mask, _digest(parts))
        return mask

    def _is_merged(self, number: int) -> bool:
        """True if a mask was merged from the parts that are there, or has none."""
        merged = self._root / _MASKS / f"{number}.png"
        parts = _parts_of(self._root / _PART_MASKS, number)
        return merged.exists() and not (parts and _is_outdated(merged, _digest(parts)))


def _enlarged(mask: np.ndarray, scale: int) -> np.ndarray:
    """A mask `[height, width]` with each pixel repeated."""
    return np.repeat(np.repeat(mask, scale, 0), scale, 1)


def _faces(folder: pathlib.Path) -> tuple[list[int], list[pathlib.Path]]:
    """The numbers of the faces N.jpg, and the other files."""
    numbers, others = [], []
    for path in walk(folder):
        stem = path.stem
        is_number = stem.isascii() and stem.isdigit() and str(int(stem)) == stem
        if is_number and path.suffix == ".jpg" and path.parent == folder:
            numbers.append(int(stem))
        else:
            others.append(path)
    return sorted(numbers), others


def _notes(
    root: pathlib.Path, chosen: list[int], numbers: set[int], others: list[pathlib.Path]
) -> tuple[str, ...]:
    """At most one sentence on files that are not used and on faces without a mask.

    Args:
        root: the folder of the data set.
        chosen: the faces of the split.
        numbers: the faces of all splits.
        others: the files beside the faces.
    """
    folder, masked = root / _IMAGES, _masked_faces(root)
    bare = [number for number in chosen if number not in masked]
    faceless = masked - numbers
    findings = []
    if others:
        findings.append(
            f"not used: {counted(len(others), 'file')} of another name than N.jpg, such as "
            f"{shown(others[0].relative_to(folder))}"
        )
    if faceless:
        findings.append(
            f"not used: masks of {counted(len(faceless), 'face')} that are not there, such as "
            f"{min(faceless)}.jpg"
        )
    if bare:
        findings.append(
            f"without a mask: {counted(len(bare), 'face')}, which cannot be read, such as "
            f"{shorten(f'{number}.jpg' for number in bare)}; unpack them again, or set "
            "--config.data.on_error=skip"
        )
    if not findings:
        return ()
    return (f"{shown(folder)}: {counted(len(chosen), 'face')}; {'; '.join(findings)}.",)


def _masked_faces(root: pathlib.Path) -> set[int]:
    """The numbers of the faces that have a merged mask or parts."""
    merged = {path.stem for path in walk(root / _MASKS) if path.suffix == ".png"}
    parts = {path.name.partition("_")[0] for path in walk(root / _PART_MASKS)}
    return {int(stem) for stem in merged | parts if stem.isascii() and stem.isdigit()}


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
    if not mapping.is_file():
        raise DataError(f"{shown(mapping)} is no plain file; unpack it again.")
    try:
        lines = mapping.read_text(encoding="utf-8").splitlines()[1:]
        return {int(words[0]): int(words[1]) for words in map(str.split, lines) if words}
    except (OSError, ValueError, IndexError) as error:
        raise DataError(f"{shown(mapping)} is broken ({error}); unpack it again.") from error


def _split_of(original: int) -> str:
    if original < _FIRST_VALIDATION:
        return "train"
    return "val" if original < _FIRST_TEST else "test"


def _parts_of(folder: pathlib.Path, number: int) -> dict[int, pathlib.Path]:
    """The existing part masks of a face, by the id of the part."""
    start = folder / str(number // _FACES_PER_FOLDER) / f"{number:05d}"
    paths = {part_id: pathlib.Path(f"{start}_{p}.png") for part_id, p in enumerate(_PARTS, start=1)}
    return {part_id: path for part_id, path in paths.items() if path.exists()}


def _digest(parts: dict[int, pathlib.Path]) -> str:
    """Digest of the names and sizes of part masks."""
    sizes = [f"{path.name} {path.stat().st_size}" for path in parts.values()]
    return hashlib.sha256("\0".join(sizes).encode()).hexdigest()[:16]


def _is_outdated(merged: pathlib.Path, digest: str) -> bool:
    """True if a mask was merged here, from other parts; False for a mask from elsewhere."""
    try:
        with Image.open(merged) as image:
            return image.info.get(_DIGEST_KEY, digest) != digest
    except (OSError, SyntaxError, ValueError):
        return False  # The error is told where the mask is read.


def _merge(
    parts: dict[int, pathlib.Path], folder: pathlib.Path, number: int, decoding: Decoding
) -> np.ndarray:
    """Merges part masks, later ones over earlier ones, int32 `[height, width]`."""
    mask: np.ndarray | None = None
    for part_id, path in parts.items():
        part = decode(path, decoding)
        refuse_lossy(part.header, path)
        present = np.asarray(to_rgb(part, path))[..., 0] > 0
        if mask is None:
            mask = np.zeros(present.shape, np.int32)
        if present.shape != mask.shape:
            raise DataError(f"{path} has another size than the parts before it; unpack it again.")
        mask[present] = part_id
    if mask is None:
        raise DataError(
            f"Face {number} has no parts {number:05d}_*.png in "
            f"{folder / str(number // _FACES_PER_FOLDER)}; unpack CelebAMask-HQ.zip again."
        )
    return mask


def _keep(path: pathlib.Path, mask: np.ndarray, digest: str) -> None:
    """Writes a merged mask and the digest of its parts, atomically.

    It does nothing if the file system refuses.

    The masks of a read-only data set are merged at every access.
    """
    note = PngInfo()
    note.add_text(_DIGEST_KEY, digest)
    with contextlib.suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(suffix=".tmp", dir=path.parent, delete=False) as file:
            try:
                Image.fromarray(mask.astype(np.uint8)).save(file, format="PNG", pnginfo=note)
                file.flush()
                os.replace(file.name, path)
            except OSError:
                os.unlink(file.name)
                raise
