"""Images and masks of a data set that Hugging Face `datasets` has saved (`save_to_disk`)."""

import copy
import json
import pathlib
from collections.abc import Sequence
from typing import Any

from symmflow_jax.data.decoding.decoding import DEFAULT, Decoded, Decoding, decode_content
from symmflow_jax.data.packages import package
from symmflow_jax.data.packed.stored import Stored, content_of
from symmflow_jax.data.photos.photo import read_photo_content
from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.segmentation.image_pairs import pair_of
from symmflow_jax.data.sources.segmentation.pair import Pair
from symmflow_jax.data.sources.segmentation.pair_notes import PairNotes
from symmflow_jax.runtime.errors import first_line, shown
from symmflow_jax.semantics.labels import LabelSchema

_IMAGES = ("image", "pixel_values", "img", "photo")
_MASKS = ("mask", "label", "labels", "annotation", "semantic_mask", "segmentation_mask", "seg")
_CLASSES = ("id2label.json", "config.json")


class HfDataset:
    """Images "image" (see `Photo`) with "mask", integers `[height, width]`.

    Masks are images of ids with one channel, or with a palette that is read by index.

    Args:
        folder: folder of a `Dataset`, or of a `DatasetDict` with several splits.
        split: name of the split; unused for a single `Dataset`.
        columns: names of the columns of images and of masks; "" for those that are meant.
        schema: the classes, and their ids in the masks.
        decoding: how images are decoded.

    Attributes:
        files: the Arrow files.
        names: the number of each example.
        rows: the numbers of the examples, if they are a part of the split; else None.

    Raises:
        DataError: if `datasets` is not installed, the folder or the split is missing, or the
            columns are not certain.
    """

    has_pairs = True

    def __init__(
        self,
        folder: pathlib.Path,
        split: str,
        columns: tuple[str, str],
        schema: LabelSchema,
        decoding: Decoding = DEFAULT,
    ):
        datasets = package("datasets", "datasets", "A data set of Hugging Face")
        self._folder, self._schema, self.decoding = folder, schema, decoding
        data = _split_of(datasets, folder, split)
        self._image, self._mask = _columns(datasets, data.features, columns, folder)
        data = data.select_columns([self._image, self._mask])
        self.files = tuple(pathlib.Path(one["filename"]) for one in data.cache_files)
        for column in (self._image, self._mask):
            data = data.cast_column(column, datasets.Image(decode=False))
        self._data = data
        self.rows: tuple[int, ...] | None = None
        self._notes = PairNotes(decoding.applies_exif)

    @property
    def schemas(self) -> dict[str, LabelSchema]:
        """The classes of "mask"."""
        return {"mask": self._schema}

    @property
    def names(self) -> tuple[str, ...]:
        """The number of each example in its split."""
        return tuple(str(number) for number in self.rows or range(len(self._data)))

    def only(self, indices: Sequence[int]) -> "HfDataset":
        """The source of some of the examples."""
        part = copy.copy(self)
        part.rows = tuple(indices)
        return part

    def __len__(self) -> int:
        return len(self._data) if self.rows is None else len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        pair = self.read(index)
        self._notes.look(pair)
        return {"image": pair.image, "mask": pair.mask}

    def read(self, index: int) -> Pair:
        """A pair with what its files say; raises DataError as an access does."""
        (image_path, image), (mask_path, mask) = self._contents(index)
        return pair_of(
            read_photo_content(image, image_path, self.decoding),
            decode_content(mask, mask_path, self.decoding),
            (image_path, mask_path),
            self._schema,
            self.decoding,
        )

    def raw_mask(self, index: int) -> tuple[pathlib.Path, Decoded]:
        """The name of a mask and what it holds, also if it is no mask of the classes."""
        _, (path, content) = self._contents(index)
        return path, decode_content(content, path, self.decoding)

    def stored(self, index: int) -> Stored:
        """An example as its files hold it; raises DataError as an access does."""
        (path, image), _ = self._contents(index)
        pair = self.read(index)
        return Stored(path.name, image, pair.mask)

    def _contents(self, index: int) -> list[tuple[pathlib.Path, bytes]]:
        """Name and content of the files of an example's image and of its mask."""
        row = index if self.rows is None else self.rows[index]
        try:
            element = self._data[row]
        except Exception as error:  # Damaged files may raise any error.
            raise DataError(
                f"Example {row} of {shown(self._folder)} cannot be read ({first_line(error)}); "
                "save the data set again."
            ) from error
        return [self._content(element[column], row, column) for column in (self._image, self._mask)]

    def _content(self, file: Any, row: int, column: str) -> tuple[pathlib.Path, bytes]:
        name = self._folder / f"example {row} ({column})"
        if not file or not (file.get("bytes") or file.get("path")):
            raise DataError(
                f"{shown(name)} is empty; leave such examples out with dataset.filter(...), or "
                "set --config.data.on_error=skip."
            )
        if file.get("bytes"):
            return name, file["bytes"]
        return name, content_of(pathlib.Path(file["path"]))


def read_names(folder: pathlib.Path) -> dict[int, str]:
    """The names of the ids in `id2label.json` or `config.json` of a folder; empty without them.

    Raises:
        DataError: if `id2label.json` holds something else.
    """
    for name in _CLASSES:
        path = folder / name
        if not path.is_file():
            continue
        try:
            values = json.loads(path.read_text(encoding="utf-8-sig"))
            found = values.get("id2label", {} if name == "config.json" else values)
            if found:
                return {int(number): str(label) for number, label in found.items()}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise DataError(
                f'{shown(path)} holds no names by id, such as {{"0": "sky", "1": "road"}} '
                f"({first_line(error)}); mend it, or move it away and set config.data.class_names."
            ) from error
    return {}


def _split_of(datasets: Any, folder: pathlib.Path, split: str) -> Any:
    try:
        found = datasets.load_from_disk(str(folder))
    except Exception as error:  # It has many errors for what is no data set.
        raise DataError(
            f"{shown(folder.absolute())} is no data set of Hugging Face ({first_line(error)}). "
            "Write one with dataset.save_to_disk(FOLDER), and set --config.data.dir to that folder."
        ) from error
    if not isinstance(found, datasets.DatasetDict):
        return found
    if split not in found:
        raise DataError(
            f"{shown(folder)} has no split {split!r}; it has {', '.join(map(str, found))}. Set "
            "config.data.train_split and config.data.eval_split, or config.data.val_share."
        )
    return found[split]


def _columns(
    datasets: Any, features: Any, given: tuple[str, str], folder: pathlib.Path
) -> tuple[str, str]:
    """The columns of images and of masks."""
    pictures = [name for name, kind in features.items() if isinstance(kind, datasets.Image)]
    for key, name in zip(("image_column", "mask_column"), given, strict=True):
        if name and name not in pictures:
            raise DataError(
                f"config.data.{key} is {name!r}, which is no column of pictures of "
                f"{shown(folder)}; those are {', '.join(pictures) or 'none'}."
            )
    image = given[0] or _only([name for name in pictures if name in _IMAGES and name != given[1]])
    mask = given[1] or _only([name for name in pictures if name in _MASKS and name != image])
    rest = [name for name in pictures if name not in (image, mask)]
    image, mask = image or (_only(rest) if mask else ""), mask or (_only(rest) if image else "")
    if not image or not mask:
        raise DataError(
            f"{shown(folder)} has the columns {', '.join(features)}, of which "
            f"{', '.join(pictures) or 'none'} hold pictures. Set config.data.image_column and "
            "config.data.mask_column."
        )
    return image, mask


def _only(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ""
