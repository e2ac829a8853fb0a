"""How sources are opened: from a seed, a folder, a name, an archive, or packed files."""

import pathlib
from collections.abc import Callable
from typing import Any

from symmflow_jax.config.values import DataConfig
from symmflow_jax.data.decoding.decoding import Decoding
from symmflow_jax.data.packed.index import DataSet
from symmflow_jax.data.packed.packed import Packed
from symmflow_jax.data.photos.format import PhotoFormat
from symmflow_jax.data.source import DataError, Source
from symmflow_jax.runtime.errors import shown
from symmflow_jax.runtime.storage import place

SPLITS = ("train_split", "eval_split")
FILES = ("max_megapixels", "exif", "image_depth", "value_range", "picture_channels")
"""Keys of how image files are read."""

Opener = Callable[[Callable[..., Source], DataConfig, bool, int], Source]
"""`open(constructor, data, train, seed)`: calls the constructor of a source."""

KEYS_OF: dict[Opener, tuple[str, ...]] = {}
"""The keys of `config.data` that each opener uses."""


def uses(*keys: str) -> Callable[[Opener], Opener]:
    """A decorator that notes the keys which an opener uses."""

    def note(opener: Opener) -> Opener:
        KEYS_OF[opener] = keys
        return opener

    return note


@uses("train_size", "eval_size")
def from_seed(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a synthetic source from a size, a split and a seed."""
    size = data.train_size if train else data.eval_size
    return constructor(size, "train" if train else "test", seed)


@uses("dir", *SPLITS)
def from_folder(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a source from a folder and a split."""
    del seed
    return constructor(place.place(data.dir, "config.data.dir"), split_of(data, train))


@uses("dir", *SPLITS, *FILES)
def from_image_folder(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a source of image files from a folder and a split."""
    del seed
    return constructor(
        place.place(data.dir, "config.data.dir"), split_of(data, train), decoding=decoding_of(data)
    )


@uses("name", "dir", *SPLITS)
def from_name(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a source from a name, a folder and a split."""
    del seed
    return constructor(data.name, data.dir, split_of(data, train))


@uses("name", "dir", *SPLITS)
def from_archive(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a source from an archive, or its folder, and a split.

    Raises:
        DataError: if `data.dir` is an archive of another name than `data.name`.
    """
    del seed
    path = pathlib.Path(data.dir)
    if data.name and not path.is_file():
        path = path / f"{data.name}.npz"
    elif data.name and path.stem != data.name:
        raise DataError(
            f"config.data.dir is the archive {shown(path)}, but config.data.name is "
            f"{shown(data.name)}, the name of another one; set "
            f"config.data.name={shown(path.stem)}, or config.data.dir to the folder of "
            f"{shown(data.name)}.npz."
        )
    return constructor(path, split_of(data, train))


@uses("dir", *SPLITS, *FILES)
def from_packed(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a packed source from a folder and a split.

    Raises:
        DataError: if the config gives classes in files other than those that were packed.
    """
    source = from_image_folder(constructor, data, train, seed)
    if isinstance(source, Packed):
        _check_as_packed(source.dataset, data)
    return source


def _check_as_packed(packed: DataSet, data: DataConfig) -> None:
    """Raises DataError if a key that was fixed by the packing has another value now."""
    for key in ("class_ids", "class_labels", "class_colours", "ignored_id"):
        if f"data.{key}" not in packed.keys:  # The packed source does not use it.
            continue
        value, before = getattr(data, key), packed.keys[f"data.{key}"]
        value = plain(value)
        if value not in ([], None) and value != before:
            raise DataError(
                f"config.data.{key} is {value!r}, but {data.dir} was packed with {before!r}. Leave "
                "it out, or pack the data again with --mode=pack --output=OTHER_FOLDER."
            )


def plain(value: Any) -> Any:
    """A value of the config as JSON has it: tuples as lists."""
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def decoding_of(data: DataConfig) -> Decoding:
    """How image files are decoded."""
    return Decoding(
        data.max_megapixels, applies_exif=data.exif == "apply", photos=photo_format_of(data)
    )


def photo_format_of(data: DataConfig) -> PhotoFormat | None:
    """How images are read that are no 8-bit pictures in grey or colour; None for those."""
    if data.image_channels in (1, 3) and data.image_depth == 8:
        return None
    return PhotoFormat(data.image_channels, data.value_range, data.picture_channels)


def split_of(data: DataConfig, train: bool) -> str:
    """The name of a split."""
    return data.train_split if train else data.eval_split
