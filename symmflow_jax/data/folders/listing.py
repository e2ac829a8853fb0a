"""The files of a folder that are read, and an account of those that are not."""

import collections
import dataclasses
import itertools
import os
import pathlib
import unicodedata
from collections.abc import Iterable, Iterator

from symmflow_jax.data.decoding.image_files import SUFFIXES
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.errors import shown

_NUM_SHOWN = 5
_MOST_COUNTED = 100_000  # Files below a folder whose own pictures are read.
# What operating systems and file managers leave behind, in lower case.
_LEFTOVERS = {
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin"),
    *("system volume information", "lost+found"),
}
_AS_PNG = "save them as .png"
_FROM_POLYGONS = "draw polygons into a .png of ids"
_REMEDIES = {
    **dict.fromkeys((".gif", ".avif", ".heic", ".heif", ".jp2", ".jfif", ".ppm"), _AS_PNG),
    ".npy": "save ids with PIL.Image.fromarray(numpy.load(file).astype('uint8')).save('name.png')",
    ".mat": "save the array of scipy.io.loadmat(file) as .png",
    **dict.fromkeys((".json", ".xml"), _FROM_POLYGONS),
    **dict.fromkeys((".nii", ".nii.gz", ".dcm"), "save the slices as .png"),
    **dict.fromkeys((".zip", ".tar", ".gz", ".tgz", ".7z", ".rar"), "unpack them"),
}


@dataclasses.dataclass(frozen=True)
class Listing:
    """The image files of a folder, and what else is in it.

    Attributes:
        folder: the folder.
        pictures: the files that are read, by their path in the folder without suffix, in the
            Unicode form NFC. Either all are directly in the folder or all are below it.
        others: number of files of each other suffix, in lower case.
        below: number of pictures in each sub-folder, if they are not read because there are
            pictures directly in the folder.
    """

    folder: pathlib.Path
    pictures: dict[str, pathlib.Path]
    others: dict[str, int]
    below: dict[str, int]

    @property
    def unused(self) -> str:
        """What is there and not used, such as "2 files of other kinds (.txt 2)"; may be empty."""
        parts = []
        if self.others:
            parts.append(other_kinds(self.others))
        if self.below:
            names = shorten(shown(name) for name in sorted(self.below))
            folders = "the sub-folder" if len(self.below) == 1 else "the sub-folders"
            parts.append(f"{counted(sum(self.below.values()), 'picture')} in {folders} {names}")
        return ", ".join(parts)


def list_pictures(
    folder: pathlib.Path, apart: tuple[pathlib.Path, ...] = (), *, nested: bool = False
) -> Listing:
    """Lists the image files of a folder.

    Pictures directly in the folder are preferred. Without any, those of all sub-folders are read.

    Args:
        folder: the folder.
        apart: sub-folders that do not belong to it.
        nested: True to read those of sub-folders in any case.

    Raises:
        DataError: if the folder is missing, cannot be read or has no images, or if two files
            differ only in their suffix.
    """
    if not folder.is_dir():
        raise DataError(
            f"The folder {shown(folder.absolute())} does not exist. Set --config.data.dir and the "
            "folders of images and masks under it (config.data.train_images and so on)."
        )
    pictures: list[pathlib.Path] = []
    others: list[pathlib.Path] = []
    for path in walk(folder, apart) if nested else _files_of(folder, apart):
        (pictures if is_picture(path) else others).append(path)
    # Several times as fast as `relative_to`, for folders of 100,000 pictures.
    start = len(str(folder / "_")) - 1
    names = {str(path)[start:].replace(os.sep, "/"): path for path in pictures}
    at_top = {} if nested else {name: p for name, p in names.items() if "/" not in name}
    below = [name.partition("/")[0] for name in names if "/" in name] if at_top else []
    listing = Listing(
        folder,
        _by_stem(at_top or names),
        dict(collections.Counter(map(kind_of_file, others))),
        dict(collections.Counter(below)),
    )
    if not listing.pictures:
        rest = f", but {listing.unused}" if listing.unused else ""
        suffixes = ", ".join(SUFFIXES)
        raise DataError(f"{shown(folder.absolute())} contains no images ({suffixes}){rest}.")
    return listing


def walk(
    folder: pathlib.Path, apart: tuple[pathlib.Path, ...] = (), *, strict: bool = True
) -> Iterator[pathlib.Path]:
    """The files in and below a folder, without what `passed_over` names.

    Links to folders are followed, each folder once. A folder that does not exist has no files.

    Args:
        folder: the folder.
        apart: folders to leave out.
        strict: False to leave out folders that cannot be read.

    Raises:
        DataError: if a folder cannot be read.
    """
    if not folder.is_dir():
        return
    seen = {os.path.realpath(path) for path in apart} - {os.path.realpath(folder)}
    for root, folders, names in os.walk(
        folder, followlinks=True, onerror=_unreadable if strict else None
    ):
        real = os.path.realpath(root)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not passed_over(name))
        inside = pathlib.Path(root)
        yield from (inside / name for name in sorted(names) if not passed_over(name))


def _files_of(folder: pathlib.Path, apart: tuple[pathlib.Path, ...]) -> Iterator[pathlib.Path]:
    """The files in and below a folder; if it has pictures itself, not too many below."""
    names = next(os.walk(folder, onerror=_unreadable))[2]
    if not any(is_picture(pathlib.Path(name)) and not passed_over(name) for name in names):
        return walk(folder, apart)
    return itertools.islice(walk(folder, apart, strict=False), len(names) + _MOST_COUNTED)


def is_picture(path: pathlib.Path) -> bool:
    """True for a file with a suffix of images."""
    return path.suffix.lower() in SUFFIXES


def passed_over(name: str) -> bool:
    """True for hidden files and for what operating systems leave in folders, as `._a.png`."""
    return name.startswith(".") or name.lower() in _LEFTOVERS


def kind_of_file(path: pathlib.Path) -> str:
    """The suffix of a file in lower case, such as ".txt" or ".nii.gz"; "" if there is none."""
    return ".nii.gz" if path.name.lower().endswith(".nii.gz") else path.suffix.lower()


def other_kinds(counts: dict[str, int]) -> str:
    """Files that are not read by their suffix, with the usual remedy, as a part of a sentence."""
    kinds = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    named = shorten(f"{shown(kind) or 'no suffix'} {count}" for kind, count in kinds)
    remedies = dict.fromkeys(
        f"{kind}: {_REMEDIES[kind]}" for kind, _ in kinds[:_NUM_SHOWN] if kind in _REMEDIES
    )
    rest = "".join(f"; {remedy}" for remedy in remedies)
    noun = "file of another kind" if sum(counts.values()) == 1 else "files of other kinds"
    return f"{sum(counts.values())} {noun} ({named}{rest})"


def shorten(names: Iterable[str]) -> str:
    """The first names, separated by commas, with "..." if there are more."""
    names = list(names)
    rest = ", ..." if len(names) > _NUM_SHOWN else ""
    return ", ".join(names[:_NUM_SHOWN]) + rest


def counted(number: int, noun: str) -> str:
    """A number with its noun in singular or plural."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _by_stem(paths: dict[str, pathlib.Path]) -> dict[str, pathlib.Path]:
    """Files by their names without suffix, in NFC."""
    files: dict[str, pathlib.Path] = {}
    for name, path in paths.items():
        stem = unicodedata.normalize("NFC", os.path.splitext(name)[0])
        if stem in files:
            raise DataError(
                f"{shown(files[stem])} and {shown(path.name)} have the same name"
                f"{_forms(files[stem], path)}; remove one of them. If both are images, name each "
                "mask after the whole image, such as a.jpg.png, and set "
                "config.data.mask_pattern='{name}'."
            )
        files[stem] = path
    return files


def _forms(first: pathlib.Path, second: pathlib.Path) -> str:
    """A remark on names that look alike."""
    if first.stem == second.stem:
        return ""
    return " (in two Unicode forms, NFC and NFD)"


def _unreadable(error: OSError) -> None:
    raise DataError(
        f"The folder {shown(str(error.filename))} cannot be read ({error.strerror}); change its "
        "permissions, or move it away."
    ) from error
