"""Grain pipelines from a source to batches, independent of the number of processes."""

import dataclasses
import functools
import itertools
import logging
import pathlib
import typing
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import grain
import numpy as np
from PIL import Image
from PIL.Image import Resampling

from symmflow_jax.data import transforms
from symmflow_jax.data.augmentation.rare_classes import ShownByWeight
from symmflow_jax.data.augmentation.rotation import rotate
from symmflow_jax.data.batch import Batch, Images, Pixels, Points, Signals
from symmflow_jax.data.fingerprint import files_of
from symmflow_jax.data.geometry.fit import CROP, Box, Fit, Size
from symmflow_jax.data.mixing.mixture import ALONE, Mixture
from symmflow_jax.data.mixing.unknown import Completed, IgnoredAsUnknown
from symmflow_jax.data.source import DataError, Source
from symmflow_jax.data.transforms import Example
from symmflow_jax.runtime import files
from symmflow_jax.runtime.processes import Shard

_logger = logging.getLogger(__name__)


_ONE_PROCESS = Shard()

_TOLD = ("has_image", "has_labels")
"""What elements of incomplete examples tell; see `Completed`."""


class Augmentation(Protocol):
    """Preparation of examples for training."""

    @property
    def target(self) -> str:
        """Key of the labels in the source, "mask" or "label"."""

    @property
    def ignored_are_unknown(self) -> bool:
        """Whether ignored classes of the source are unknown, -1, to what is learned."""

    @property
    def image_type(self) -> type[Images]:
        """Type of the images in a batch."""

    def augment(self, element: dict[str, Any], rng: np.random.Generator) -> Example:
        """Makes an example with "image" and "labels" from an element of a source."""


@dataclasses.dataclass(frozen=True)
class Preparation:
    """Preparation of examples for training and evaluation.

    Attributes:
        target: key of the labels in the source, "mask" or "label".
        image_size: height and width of the result; empty for points, which stay unchanged.
        image_channels: channels of the result.
        resampling: filter that resizes images.
        fit: how images of any size come to this size.
        random_crop: True if training crops at random positions instead of the centre.
        random_flip: True if training mirrors half of the examples left to right.
        random_vertical_flip: True if training mirrors half of the examples top to bottom.
        mirrored: pairs of classes that mirroring exchanges.
        crop_seed: seed of the positions at which evaluation crops; None for the centre.
        has_signals: True if images are read as signals, see `Photo`.
        ignored_are_unknown: True if ignored classes of the source are unknown, -1, and the others
            are numbered without them; the functions below see to it.
        hidden_share: share of the training masks of which a part is made unknown.
        rotation: largest angle by which training turns examples, in degrees; see `rotate`.
    """

    target: str
    image_size: tuple[int, ...]
    image_channels: int
    resampling: Resampling = Resampling.BICUBIC
    fit: Fit = CROP
    random_crop: bool = False
    random_flip: bool = False
    random_vertical_flip: bool = False
    mirrored: tuple[tuple[int, int], ...] = ()
    crop_seed: int | None = None
    has_signals: bool = False
    ignored_are_unknown: bool = False
    hidden_share: float = 0.0
    rotation: float = 0.0

    @property
    def image_type(self) -> type[Images]:
        """`Pixels`, or `Points` if there is no image size, or `Signals`."""
        if not self.image_size:
            return Points
        return Signals if self.has_signals else Pixels

    def select(self, element: dict[str, Any]) -> Example:
        """Image and target of an element of the source."""
        told = {name: element[name] for name in _TOLD if name in element}
        return {"image": element["image"], "labels": element[self.target]} | told

    def prepare(self, element: dict[str, Any], index: int = 0) -> Example:
        """An example for evaluation.

        Args:
            element: the element of the source.
            index: its number there, for the position of a random crop.
        """
        example = self.select(element)
        if not self.image_size:
            return example
        if self.crop_seed is None:
            return self._fit(example)
        return self._fit(example, np.random.default_rng((self.crop_seed, index)))

    def original_labels(self, element: dict[str, Any]) -> np.ndarray:
        """The part of an element's mask that `prepare` keeps, in its original size, int32."""
        mask = element[self.target]
        source = self.shown(mask.shape)
        return mask[source.rows, source.columns].astype(np.int32)

    def shown(self, shape: tuple[int, int]) -> Box:
        """The part of an image of a height and width that a prepared example shows."""
        return self.fit.place(shape, self._size).source

    def content(self, shape: tuple[int, int]) -> Box:
        """The part of a prepared example that shows the image, not its padding.

        Args:
            shape: height and width of the image, or of its `original_labels`.
        """
        return self.fit.place(shape, self._size).target

    def scale(self, shape: tuple[int, int]) -> float:
        """Pixels of a prepared example for each pixel of an image of a height and width."""
        return self.fit.place(shape, self._size).scale

    def fitted(self, image: Image.Image | np.ndarray) -> np.ndarray:
        """An image without labels as `prepare` brings it to the model's size."""
        return self._fit({"image": image, "labels": 0})["image"]

    def fitted_mask(self, mask: np.ndarray) -> np.ndarray:
        """A mask as `prepare` brings it to the model's size, int32."""
        return transforms.place_mask(mask, self.fit.place(mask.shape, self._size))

    def augment(self, element: dict[str, Any], rng: np.random.Generator) -> Example:
        """An example for training."""
        example = self.select(element)
        if self.rotation:
            degrees = rng.uniform(-self.rotation, self.rotation)
            example = rotate(example, degrees, self.resampling)
        if self.image_size:
            example = self._fit(example, rng if self.random_crop or self.fit.draws else None)
        for flips, axis in (
            (self.random_flip, transforms.COLUMNS),
            (self.random_vertical_flip, transforms.ROWS),
        ):
            if flips:
                example = transforms.random_flip(example, rng, self.mirrored, axis)
        if self.hidden_share and rng.random() < self.hidden_share:
            example |= {"labels": transforms.hide_part(example["labels"], rng)}
        return example

    def _fit(self, example: Example, rng: np.random.Generator | None = None) -> Example:
        return transforms.fit(
            example, self._size, self.image_channels, rng, self.resampling, self.fit
        )

    @property
    def _size(self) -> Size:
        """Height and width; not for points."""
        return typing.cast(Size, self.image_size)


def training_batches(
    source: Source,
    preparation: Augmentation,
    *,
    batch_size: int,
    seed: int,
    shard: Shard = _ONE_PROCESS,
    num_workers: int = 0,
    skip_errors: bool = False,
    skip_log: pathlib.Path | None = None,
    first_batch: int = 0,
    mixture: Mixture = ALONE,
    weights: np.ndarray | None = None,
) -> grain.DatasetIterator:
    """Makes an endless iterator over shuffled, augmented batches; each epoch has its own order.

    A batch depends only on its number, so that `first_batch` is all that is needed to go on from
    any place, with another number of workers or processes too.

    Args:
        source: the examples.
        preparation: the augmentation.
        batch_size: examples per batch of all processes together, a multiple of `shard.count`.
        seed: seed of the order and the augmentation.
        shard: this process's part of each batch, one of `count` consecutive ones.
        num_workers: number of reading processes; 0 reads in threads.
        skip_errors: replace an example that cannot be read by the next readable one.
        skip_log: file that lists such examples; see `SkippingSource`.
        first_batch: number of the batch to begin with, at least 0.
        mixture: further parts of the training data. Each has an order of its own, and its share of
            any long row of examples.
        weights: how often each example of `source` is shown, relative to the others, float
            `[examples]`; None for each once an epoch. Epochs keep their length.
    """

    def in_random_order(source: Source, weights: np.ndarray | None = None) -> grain.MapDataset:
        if skip_errors:
            source = SkippingSource(source, skip_log)
        source = as_learned(source, preparation)
        if mixture.has_incomplete:
            source = Completed(source, preparation.target)
        dataset = grain.MapDataset.source(source).seed(seed)
        if weights is not None:
            dataset = ShownByWeight(dataset, weights)
        return dataset.shuffle().repeat()

    examples = in_random_order(source, weights)
    if mixture.parts:
        parts = [examples, *(in_random_order(part.source) for part in mixture.parts)]
        shares = [mixture.share_of_split, *(part.share for part in mixture.parts)]
        examples = grain.MapDataset.mix(parts, shares).seed(seed)
    examples = examples.random_map(preparation.augment)
    # The index in the whole batch is taken before the split over processes, so that it does not
    # depend on their number.
    examples = examples.map_with_index(
        lambda index, example: example | {"example_index": np.int32(index % batch_size)}
    )
    # Consecutive examples, as the devices of one process would get them: then a sum over devices
    # has the same terms.
    parts = examples.batch(batch_size // shard.count, drop_remainder=True)
    batches = parts[shard.index :: shard.count][first_batch:]
    threads = grain.ReadOptions(num_threads=2, prefetch_buffer_size=4)
    dataset = batches.to_iter_dataset(threads)
    if num_workers:
        dataset = dataset.mp_prefetch(grain.MultiprocessingOptions(num_workers=num_workers))
    return iter(dataset.map(functools.partial(_to_batch, preparation.image_type)))


def evaluation_batches(
    source: Source,
    preparation: Preparation,
    *,
    batch_size: int,
    num_examples: int = 0,
    shard: Shard = _ONE_PROCESS,
    original_labels: bool = False,
    repeated: bool = False,
    times: int = 1,
    spread: bool = False,
    skip_errors: bool = False,
    skip_log: pathlib.Path | None = None,
) -> Iterator[Batch]:
    """Yields batches of examples of a source in order; the last one is padded to full size.

    Args:
        source: the examples.
        preparation: the preparation of each example.
        batch_size: examples per batch of this process.
        num_examples: number of examples to take; 0 takes all.
        shard: this process's part of the examples.
        original_labels: also return masks in their original size.
        repeated: repeat the examples, under new indices, if `num_examples` exceeds their number.
        times: number of times that each example comes, under new indices, before the next one.
        spread: take examples at equal distances over the whole source instead of the first ones,
            which may be similar to each other.
        skip_errors: mark an example that cannot be read as padding instead of raising.
        skip_log: file that lists such examples; see `SkippingSource`.
    """
    if skip_errors:
        source = SkippingSource(source, skip_log)
    source = as_learned(source, preparation)
    size = times * len(source)
    total = num_examples or size
    total = total if repeated else min(total, size)

    def prepare(index: int, element: dict[str, Any]) -> Example:
        number = index % size // times
        example = preparation.prepare(element, number)
        if original_labels:
            example |= {"original_labels": preparation.original_labels(element)}
        # A label that is not known has no score; a mask has some for its known pixels.
        is_known = np.ndim(example["labels"]) > 0 or example["labels"] >= 0
        return example | {
            "example_index": np.int32(index),
            "valid": np.bool_(is_known and element.get(_READ_INDEX, number) == number),
        }

    several = grain.MapDataset.source(_Several(source, times))
    examples = several.repeat(-(-total // size)).map_with_index(prepare)
    stride = max(1, size // total) if spread else 1
    examples = examples[: total * stride : stride]
    batches = examples[shard.index :: shard.count].batch(batch_size, batch_fn=_stack)
    for batch in batches.to_iter_dataset():
        yield _to_batch(preparation.image_type, pad(batch, batch_size))


def whole_examples(
    source: Source,
    preparation: Preparation,
    *,
    num_examples: int = 0,
    shard: Shard = _ONE_PROCESS,
    skip_errors: bool = False,
    skip_log: pathlib.Path | None = None,
) -> Iterator[tuple[int, Example]]:
    """Yields numbers and examples of a source in order, each image and mask in their own size.

    Args:
        source, preparation, num_examples, shard, skip_log: as in `evaluation_batches`.
        skip_errors: leave out an example that cannot be read instead of raising.
    """
    if skip_errors:
        source = SkippingSource(source, skip_log)
    source = as_learned(source, preparation)
    total = min(num_examples or len(source), len(source))
    for index in range(shard.index, total, shard.count):
        element = source[index]
        if element.get(_READ_INDEX, index) == index:
            yield index, preparation.select(element)


def as_learned(source: Source, preparation: Augmentation) -> Source:
    """The source with the classes that a preparation learns."""
    schema = source.schemas.get(preparation.target)
    if not preparation.ignored_are_unknown or schema is None or not schema.ignored:
        return source
    return IgnoredAsUnknown(source, preparation.target)


def pad(batch: dict[str, Any], size: int) -> dict[str, Any]:
    """Pads arrays to `size` with copies of the first example, whose `valid` is False."""
    count = len(batch["example_index"])
    order = np.concatenate([np.arange(count), np.zeros(size - count, np.int64)])
    padded = {
        key: [values[i] for i in order] if isinstance(values, list) else values[order]
        for key, values in batch.items()
    }
    return padded | {"valid": padded["valid"] & (np.arange(size) < count)}


def _to_batch(image_type: type[Images], arrays: dict[str, Any]) -> Batch:
    """Makes a batch from arrays under the names of its fields."""
    return Batch(**arrays | {"image": image_type(arrays["image"])})


def _stack(examples: Sequence[Example]) -> dict[str, Any]:
    """Stacks examples along a new leading axis; masks of different sizes stay a list."""
    batch: dict[str, Any] = {}
    for key in examples[0]:
        values = [example[key] for example in examples]
        batch[key] = values if key == "original_labels" else np.stack(values)
    return batch


class _Several:
    """A source whose elements each come several times, one after the other."""

    def __init__(self, source: Source, times: int):
        self._source, self._times = source, times

    def __len__(self) -> int:
        return self._times * len(self._source)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self._source[index // self._times]


_READ_INDEX = "read_index"


class SkippingSource:
    """A source that replaces each unreadable example by the next readable one.

    An element has the keys of the source and "read_index", the index of the example that was
    read.

    Args:
        source: the examples.
        log: file that gets a line of JSON for each example that this process skips; several
            processes and the runs of one folder may share it.

    Attributes:
        skipped: error messages of the examples that this process skipped, by index.
    """

    def __init__(self, source: Source, log: pathlib.Path | None = None):
        self._source, self._log = source, log
        self.skipped: dict[int, str] = {}

    @property
    def schemas(self):
        """The label schemas of the source."""
        return self._source.schemas

    @property
    def files(self) -> tuple[pathlib.Path, ...]:
        """The files of the source."""
        return files_of(self._source)

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        """The first readable element at or after `index`; continues at 0 after the last one.

        Raises:
            DataError: if no example can be read.
        """
        for candidate in itertools.islice(itertools.cycle(range(len(self))), index, None):
            try:
                return self._source[candidate] | {_READ_INDEX: np.asarray(candidate)}
            except DataError as error:
                if candidate not in self.skipped:
                    self._note(candidate, str(error))
                if len(self.skipped) == len(self):
                    raise DataError(f"None of {len(self)} examples can be read: {error}") from None
        raise AssertionError("unreachable: the cycle has no end")

    def _note(self, index: int, message: str) -> None:
        self.skipped[index] = message
        _logger.warning("Skipped example %d (%d so far): %s", index, len(self.skipped), message)
        if self._log is not None:
            # One short write in append mode is not mixed with those of other processes.
            with self._log.open("a", encoding="utf-8") as file:
                file.write(files.as_json({"index": index, "error": message}) + "\n")
