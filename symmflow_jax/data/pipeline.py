"""Grain pipelines: from a source to batches, the same whatever the number of processes."""

import dataclasses
import itertools
import logging
from collections.abc import Iterator
from typing import Any, Protocol

import grain
import numpy as np

from symmflow_jax.data import transforms
from symmflow_jax.data.sources.source import DataError, Source
from symmflow_jax.data.transforms import Example

_logger = logging.getLogger(__name__)

Batch = dict[str, np.ndarray]
"""Arrays with a leading batch axis.

`image`: uint8 `[batch, height, width, channels]`, or float32 `[batch, n]` for points; from a
cache of latents float16 `[batch, latent height, latent width, channels of the moments]`.
`labels`: int32 `[batch, height, width]` or `[batch]`.
`position`: int32 `[batch]`, the example's place among all examples of the step (in
training) or of the split (in evaluation); its random key is made from it.
`valid`: bool `[batch]`, False for padding (evaluation only).
"""


class Augmentation(Protocol):
    """What is done to each example for training."""

    def augment(self, element: dict[str, Any], rng: np.random.Generator) -> Example:
        """The "image" and "labels" to learn from, of a source's element."""


@dataclasses.dataclass(frozen=True)
class Preparation:
    """What is done to each example.

    Attributes:
        target: the source's key to learn, "mask" or "label".
        image_size: height and width to come out; empty for points, which stay as they are.
        image_channels: 1 or 3.
        random_crop: whether training crops at random places instead of the centre.
        random_flip: whether training mirrors half of the examples.
        mirrored: pairs of classes that a mirror turns into each other.
    """

    target: str
    image_size: tuple[int, ...]
    image_channels: int
    random_crop: bool = False
    random_flip: bool = False
    mirrored: tuple[tuple[int, int], ...] = ()

    def select(self, element: dict[str, Any]) -> Example:
        """Image and target of a source's element."""
        return {"image": element["image"], "labels": np.asarray(element[self.target], np.int32)}

    def prepare(self, element: dict[str, Any]) -> Example:
        """An example for evaluation."""
        example = self.select(element)
        if not self.image_size:
            return example
        return transforms.fit(example, self.image_size, self.image_channels)  # type: ignore[arg-type]

    def augment(self, element: dict[str, Any], rng: np.random.Generator) -> Example:
        """An example for training."""
        example = self.select(element)
        if self.image_size:
            crop_rng = rng if self.random_crop else None
            example = transforms.fit(example, self.image_size, self.image_channels, crop_rng)  # type: ignore[arg-type]
        if not self.random_flip:
            return example
        return transforms.random_flip(example, rng, self.mirrored)


@dataclasses.dataclass(frozen=True)
class Shard:
    """Which part of every batch a process reads: examples `index`, `index + count`, ..."""

    index: int = 0
    count: int = 1


def training_batches(
    source: Source,
    preparation: Augmentation,
    *,
    batch_size: int,
    seed: int,
    shard: Shard = Shard(),
    num_workers: int = 0,
    skip_errors: bool = False,
) -> grain.DatasetIterator:
    """An endless iterator over shuffled, augmented batches; every epoch has its own order.

    Its `get_state()` is a small JSON value, the same in every process, and `set_state()` goes
    on from there exactly. `grain.experimental.set_next_index(iterator, n)` goes to batch n.

    Args:
        source: the examples.
        preparation: what is done to them.
        batch_size: examples of all processes together; `shard.count` divides it.
        seed: origin of order and augmentation.
        shard: this process's part.
        num_workers: reading processes; 0 reads in threads.
        skip_errors: replace an example that cannot be read by the one after it.
    """
    if skip_errors:
        source = SkippingSource(source)
    examples = grain.MapDataset.source(source).seed(seed).shuffle().repeat()
    examples = examples.random_map(preparation.augment)
    # The place in the whole batch is taken before processes part, so that it names the same
    # example whatever their number.
    examples = examples.map_with_index(
        lambda index, example: example | {"position": np.int32(index % batch_size)}
    )
    examples = examples[shard.index :: shard.count]
    batches = examples.batch(batch_size // shard.count, drop_remainder=True)
    threads = grain.ReadOptions(num_threads=2, prefetch_buffer_size=4)
    dataset = batches.to_iter_dataset(threads)
    if num_workers:
        dataset = dataset.mp_prefetch(grain.MultiprocessingOptions(num_workers=num_workers))
    return iter(dataset)


def evaluation_batches(
    source: Source,
    preparation: Preparation,
    *,
    batch_size: int,
    num_examples: int = 0,
    shard: Shard = Shard(),
) -> Iterator[Batch]:
    """The first examples of a source in order, the last batch padded to full size.

    Args:
        source: the examples.
        preparation: what is done to them.
        batch_size: examples of one batch of this process.
        num_examples: how many of the source to take; 0 takes all.
        shard: this process's part.
    """
    total = min(num_examples or len(source), len(source))
    examples = grain.MapDataset.source(source)[:total].map(preparation.prepare)
    examples = examples.map_with_index(
        lambda index, example: example | {"position": np.int32(index)}
    )
    batches = examples[shard.index :: shard.count].batch(batch_size)
    for batch in batches.to_iter_dataset():
        yield pad(batch, batch_size)


def pad(batch: Batch, size: int) -> Batch:
    """The batch with repeats of its first example up to `size`, told apart by `valid`."""
    count = len(batch["position"])
    order = np.concatenate([np.arange(count), np.zeros(size - count, np.int64)])
    padded = {key: values[order] for key, values in batch.items()}
    return padded | {"valid": np.arange(size) < count}


class SkippingSource:
    """A source whose unreadable examples are replaced by the readable ones after them.

    Attributes:
        skipped: the messages of the examples that were left out in this process, by index.
    """

    def __init__(self, source: Source):
        self._source = source
        self.skipped: dict[int, str] = {}

    @property
    def schemas(self):
        """The label schemas of the source."""
        return self._source.schemas

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        """The first readable element from `index` on, around the end.

        Raises:
            DataError: if no example can be read.
        """
        for candidate in itertools.islice(itertools.cycle(range(len(self))), index, None):
            try:
                return self._source[candidate]
            except DataError as error:
                if candidate not in self.skipped:
                    self.skipped[candidate] = str(error)
                    _logger.warning("Skipped example %d (%d so far): %s",
                                    candidate, len(self.skipped), error)  # fmt: skip
                if len(self.skipped) == len(self):
                    raise DataError(f"None of {len(self)} examples can be read: {error}") from None
        raise AssertionError("unreachable: the cycle has no end")
