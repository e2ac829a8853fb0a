"""Rate of training batches from packed data, compared with the loose files it was packed of."""

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data.source import Source
from symmflow_jax.performance.benchmark.input_pipeline import reader_name, watch, with_workers

_NUM_WORKERS = (0, 1, 2)
_NUM_EXAMPLES = 5_000


class Rates(NamedTuple):
    """Rates of one reader.

    Attributes:
        reader: name of the reader.
        loose: images per second from loose files, the median of the rounds.
        packed: images per second from packed data, likewise.
        ratios: the smallest and the largest ratio of packed to loose in one round.
    """

    reader: str
    loose: float
    packed: float
    ratios: tuple[float, float]


def measure(
    experiment: Experiment, packed: str, batch_size: int, num_rounds: int, seconds: float = 3.0
) -> list[Rates]:
    """Measures images per second of both, alternately, with 0, 1 and 2 worker processes.

    Files are in the page cache, so this compares the work of the processor and not of a disk or a
    network. A small data set is repeated to at least 5,000 examples, since Grain takes 20
    microseconds to find the next example of so many, but 2 milliseconds of a dozen.

    Args:
        experiment: the experiment on loose files, whose training split is read.
        packed: folder of the same data, packed.
        batch_size: number of examples of a batch.
        num_rounds: number of measurements of each.
        seconds: approximate duration of each measurement.

    Raises:
        DataError: if data is missing.
        ValueError: if both have other numbers of examples.
    """
    of_packed = experiment.changed({"data.source": "packed", "data.dir": packed})
    both = {"loose": experiment, "packed": of_packed}
    sources = {name: one.training_source for name, one in both.items()}
    sizes = [len(source) for source in sources.values()]
    if sizes[0] != sizes[1]:
        raise ValueError(
            f"--packed={packed} has {sizes[1]} training examples, and the loose data {sizes[0]}; "
            "give a folder of the same data."
        )
    rows = []
    for num_workers in _NUM_WORKERS:
        rates: dict[str, list[float]] = {name: [] for name in both}
        for _ in range(num_rounds):
            for name, one in both.items():
                reading = with_workers(one, batch_size, num_workers)
                source = _Repeated.to_many(sources[name])
                rates[name].append(watch(source, reading, seconds)[0])
        ratios = np.divide(rates["packed"], rates["loose"])
        rows.append(
            Rates(
                reader_name(num_workers),
                float(np.median(rates["loose"])),
                float(np.median(rates["packed"])),
                (float(ratios.min()), float(ratios.max())),
            )
        )
    return rows


@dataclasses.dataclass(frozen=True)
class _Repeated:
    """The examples of a source, several times.

    Attributes:
        source: the examples.
        times: how often.
    """

    source: Source
    times: int

    @classmethod
    def to_many(cls, source: Source) -> "_Repeated":
        return cls(source, -(-_NUM_EXAMPLES // len(source)))

    @property
    def schemas(self):
        return self.source.schemas

    def __len__(self) -> int:
        return len(self.source) * self.times

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.source[index % len(self.source)]
