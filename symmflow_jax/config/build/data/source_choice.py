"""An entry of the table of data sources: its class, what it has, and how it is opened."""

import dataclasses
from collections.abc import Callable
from typing import Any

from symmflow_jax.config.build.data.openers import KEYS_OF, Opener, from_seed
from symmflow_jax.config.build.data.own import classes as own_classes
from symmflow_jax.config.choices import Choice
from symmflow_jax.config.values import DataConfig
from symmflow_jax.semantics.kinds import SemanticsKind
from symmflow_jax.semantics.labels import LabelSchema

SOURCE_KEYS = {
    *("train_size", "eval_size", "dir", "name", "train_split", "eval_split"),
    *("train_images", "train_masks", "eval_images", "eval_masks", "mask_pattern"),
    *("train_annotations", "eval_annotations", "image_column", "mask_column"),
    *("class_ids", "class_labels", "class_colours", "ignored_id"),
    *("val_share", "folds", "fold", "split_seed"),
    *("max_megapixels", "exif", "image_depth", "value_range", "picture_channels"),
}
"""Keys of `config.data` that choose the examples, or how files are read; a source uses some."""


@dataclasses.dataclass(frozen=True)
class SourceChoice(Choice):
    """A data source.

    Attributes:
        kinds: kinds of semantics of its examples, the preferred one first.
        opener: function that calls its constructor.
        known_classes: "module:attribute" of the label schema that is known without files, or of a
            function from `data.name` to that schema or None; None if it is never known.
        has_name: True if `data.name` chooses among several data sets.
        has_own_classes: True if the config, and not the data set, defines the classes.
        classes_of_config: function from the config to the classes that its names stand for.
        is_packed: True if the files tell which data set they are.
    """

    kinds: tuple[SemanticsKind, ...]
    opener: Opener
    known_classes: str | None = None
    has_name: bool = False
    has_own_classes: bool = False
    classes_of_config: Callable[[DataConfig], LabelSchema] = own_classes.of_ids
    is_packed: bool = False

    @property
    def used_keys(self) -> tuple[str, ...]:
        """The keys of `SOURCE_KEYS` that the source uses."""
        return KEYS_OF.get(self.opener, tuple(SOURCE_KEYS))

    @property
    def is_drawn(self) -> bool:
        """True if the examples are drawn from the seed, without files."""
        return self.opener is from_seed

    def dataset(self, name: str, data_name: str) -> str:
        """Name of the data set in scores: the source, and `data_name` if it has several sets."""
        return f"{name}/{data_name}" if self.has_name else name

    def classes_without_files(self, data_name: str) -> LabelSchema | None:
        """The label schema, or None if it is not known without the files."""
        if self.known_classes is None:
            return None
        known: Any = Choice(self.known_classes, "").resolve()
        return known(data_name) if callable(known) else known
