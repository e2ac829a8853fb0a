"""How fast training batches come out of the input pipeline, with nothing else to do."""

import dataclasses
import time

from symmflow_jax import build
from symmflow_jax.config import Config


def images_per_second(config: Config, batch_size: int, num_batches: int = 50) -> float:
    """Training examples a second, after a few batches that are not counted.

    Raises:
        DataError: if the data is missing.
    """
    config = dataclasses.replace(
        config, train=dataclasses.replace(config.train, batch_size=batch_size)
    )
    source = build.source(config, train=True)
    batches = build.training_batches(config, source, build.schema(config, source))
    for _ in range(10):  # More than the pipeline holds ready.
        next(batches)
    start = time.perf_counter()
    for _ in range(num_batches):
        next(batches)
    return num_batches * batch_size / (time.perf_counter() - start)
