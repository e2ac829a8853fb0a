"""Pairs of images and masks by a pattern of the masks' names, such as `{stem}_mask.png`."""

import os
import pathlib
import posixpath
import re
import unicodedata
from collections.abc import Iterable, Mapping

from symmflow_jax.data.decoding.image_files import SUFFIXES
from symmflow_jax.data.folders.listing import counted, is_picture, shorten, walk
from symmflow_jax.data.folders.pairing import Pairing
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.errors import shown

_PARTS = re.compile(r"\{(stem|name)\}")
_KEY = "config.data.mask_pattern"


def check_pattern(pattern: str) -> None:
    """Raises ValueError for a pattern that cannot be read."""
    if re.search(r"[{}]", _PARTS.sub("", pattern)) or not posixpath.basename(pattern):
        raise ValueError(
            f"{_KEY} is {pattern!r}; it is the name of a mask in which {{stem}} or {{name}} stands "
            "for the name of the image without or with its suffix, such as '{stem}_mask.png'."
        )


def pair_by_pattern(images: pathlib.Path, masks: pathlib.Path, pattern: str) -> Pairing:
    """Pairs all pictures in and below a folder with the masks that a pattern names.

    Args:
        images: folder of the images.
        masks: folder of the masks, perhaps the same one or one inside of the other.
        pattern: name of a mask, see `check_pattern`: relative to the place in `masks` that the
            image has in `images`. Without a suffix, that of any picture fits.

    Returns:
        the pairs in the order of the images' names, with a note on pictures that are neither.

    Raises:
        DataError: if a folder is missing, an image has no mask or several, two images have one
            mask, or a mask has no image.
    """
    files = {_key(root, path): path for root in (images, masks) for path in _pictures(root)}
    by_name = _by_mask_name(files, has_suffix=_has_suffix(pattern))
    start, mask_start = _absolute(images), _absolute(masks)
    is_inside = mask_start != start and mask_start.startswith(f"{start}/")
    candidates = {
        name: path
        for name, path in files.items()
        if name.startswith(f"{start}/") and not (is_inside and name.startswith(f"{mask_start}/"))
    }
    targets = {
        name: by_name.get(_target(name, start, mask_start, pattern), []) for name in candidates
    }
    taken = {mask for name, found in targets.items() for mask in found if mask != name}
    like_masks = {name for name in files if _is_like_mask(name, pattern)}
    chosen = sorted(name for name in candidates if name not in taken and name not in like_masks)
    is_apart = mask_start != start and not start.startswith(f"{mask_start}/")
    if is_apart and not _adds(pattern):  # Whatever lies in a folder of masks alone is a mask.
        like_masks |= {name for name in files if name.startswith(f"{mask_start}/")}
    lone = sorted(like_masks - taken)
    _check_found(chosen, targets, lone, files, images, pattern)
    _check_shared(chosen, targets, files, pattern)
    pairs = tuple((files[name], files[targets[name][0]]) for name in chosen)
    others = files.keys() - set(chosen) - {targets[name][0] for name in chosen}
    notes = (f"not used: {counted(len(others), 'picture')}",) if others else ()
    return Pairing(pairs, notes)


def _pictures(root: pathlib.Path) -> Iterable[pathlib.Path]:
    if not root.is_dir():
        raise DataError(
            f"The folder {shown(root.absolute())} does not exist. Set --config.data.dir and the "
            "folders of images and masks under it (config.data.train_images and so on)."
        )
    return (path for path in walk(root) if is_picture(path))


def _absolute(folder: pathlib.Path) -> str:
    return _normal(os.path.realpath(folder))


def _key(root: pathlib.Path, path: pathlib.Path) -> str:
    """The path of a picture as others name it: under the real path of its folder, in NFC."""
    return f"{_absolute(root)}/{_normal(str(path.relative_to(root)))}"


def _normal(path: str) -> str:
    return unicodedata.normalize("NFC", path.replace(os.sep, "/"))


def _has_suffix(pattern: str) -> bool:
    return posixpath.splitext(pattern)[1].lower() in SUFFIXES


def _by_mask_name(files: Mapping[str, pathlib.Path], *, has_suffix: bool) -> dict[str, list[str]]:
    """The pictures by their name, without suffix unless the pattern has one."""
    named: dict[str, list[str]] = {}
    for name in sorted(files):
        named.setdefault(name if has_suffix else posixpath.splitext(name)[0], []).append(name)
    return named


def _target(name: str, start: str, mask_start: str, pattern: str) -> str:
    """The path that a pattern gives to the mask of an image."""
    folder, file = posixpath.split(name[len(start) + 1 :])
    parts = {"stem": posixpath.splitext(file)[0], "name": file}
    told = _PARTS.sub(lambda match: parts[match[1]], pattern)
    return posixpath.normpath(posixpath.join(mask_start, folder, told))


def _adds(pattern: str) -> str:
    """What a pattern adds to the name of an image; "" for nothing."""
    return _PARTS.sub("", _stem(pattern))


def _stem(pattern: str) -> str:
    """The last part of a pattern without the suffix of a picture."""
    last = posixpath.basename(pattern)
    return posixpath.splitext(last)[0] if _has_suffix(pattern) else last


def _is_like_mask(name: str, pattern: str) -> bool:
    """True if only a mask has such a name: the pattern adds something to that of an image."""
    if not _adds(pattern):
        return False
    pieces = [re.escape(piece) for piece in _PARTS.sub("\0", _stem(pattern)).split("\0")]
    file = posixpath.splitext(posixpath.basename(name))[0]
    return re.fullmatch(".+".join(pieces), file) is not None


def _check_found(
    chosen: list[str],
    targets: Mapping[str, list[str]],
    lone: list[str],
    files: Mapping[str, pathlib.Path],
    images: pathlib.Path,
    pattern: str,
) -> None:
    """Raises DataError for images without a mask, masks without an image, and rivals."""
    if not chosen and not lone:
        raise DataError(f"{shown(images.absolute())} contains no images ({', '.join(SUFFIXES)}).")
    bare = [name for name in chosen if not targets[name]]
    if bare or lone:
        parts = [
            f"without {partner}: {counted(len(names), what)}, such as "
            f"{shorten(shown(files[name].name) for name in names)}"
            for names, what, partner in ((bare, "image", "a mask"), (lone, "mask", "an image"))
            if names
        ]
        raise DataError(
            f"{shown(images)} by {_KEY}={pattern!r}: {'; '.join(parts)}. Add the missing files or "
            "remove these, or change the pattern."
        )
    for name in chosen:
        if len(targets[name]) > 1:
            rivals = " and ".join(shown(files[mask].name) for mask in targets[name])
            raise DataError(
                f"{rivals} may all be the mask of {shown(str(files[name]))}; keep one, or write "
                f"its suffix into {_KEY}."
            )


def _check_shared(
    chosen: list[str],
    targets: Mapping[str, list[str]],
    files: Mapping[str, pathlib.Path],
    pattern: str,
) -> None:
    """Raises DataError if two images have one mask, as those that differ in their suffix."""
    owners: dict[str, str] = {}
    for name in chosen:
        mask = targets[name][0]
        if mask in owners:
            whole = pattern.replace("{stem}", "{name}")
            raise DataError(
                f"{shown(str(files[owners[mask]]))} and {shown(files[name].name)} have the same "
                f"mask {shown(files[mask].name)} by {_KEY}={pattern!r}; remove one of them, or "
                f"name each mask after its whole image and set {_KEY}={whole!r}."
            )
        owners[mask] = name
