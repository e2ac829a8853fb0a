"""How fast training batches come out of the input pipeline, with nothing else to do."""

import time

from symmflow_jax import build
from symmflow_jax.config import Config
from symmflow_jax.data import pipeline


def images_per_second(config: Config, batch_size: int, num_batches: int = 50) -> float:
    """Training examples a second, after a few batches that are not counted.

    Raises:
        DataError: if the data is missing.
    """
    source = build.source(config, train=True)
    batches = pipeline.training_batches(
        source,
        build.preparation(config, build.schema(config, source)),
        batch_size=batch_size,
        seed=config.seed,
        num_workers=config.data.num_workers,
    )
    for _ in range(10):  # More than the pipeline holds ready.
        next(batches)
    start = time.perf_counter()
    for _ in range(num_batches):
        next(batches)
    return num_batches * batch_size / (time.perf_counter() - start)
