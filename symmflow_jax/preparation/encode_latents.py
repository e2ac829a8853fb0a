"""Encoding of the training split into a cache of latents on disk (`--mode=encode`)."""

import functools
import logging
import pathlib

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.codecs import images
from symmflow_jax.codecs.latents import LatentCodec, require_latents
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data import pipeline
from symmflow_jax.data.latent_cache.writer import CacheWriter
from symmflow_jax.runtime import outputs, processes
from symmflow_jax.runtime.progress import Progress
from symmflow_jax.runtime.storage import place

_logger = logging.getLogger(__name__)


def encode(experiment: Experiment, workdir: pathlib.Path) -> None:
    """Writes the training split, cropped at the centre, to `config.data.latents`.

    With `config.data.random_flip`, each example's mirror image is encoded as well. An interrupted
    run leaves no cache behind. Unreadable examples are left out if the config skips them.

    Args:
        experiment: the run that will read the cache.
        workdir: its folder; its copy of the autoencoder is used if there is one.

    Raises:
        DataError: if data is missing or cannot be read, or if the cache's folder exists.
        OutputError: if the folder cannot be written, before the encoding.
        ValueError: if the config has no folder or no autoencoder, if the devices do not divide a
            batch, or if there are several processes.
        WeightsFileError: if the autoencoder cannot be read.
    """
    if not experiment.data.latents:
        raise ValueError("--mode=encode writes to config.data.latents, which is empty; set it.")
    processes.check_single_process("--mode=encode")
    processes.check_batch_size(
        experiment.eval.batch_size, jax.local_device_count(), "config.eval.batch_size"
    )
    folder = place.place(experiment.data.latents, "config.data.latents")
    batch_size = experiment.eval.batch_size
    outputs.check_writable(folder.parent, "another config.data.latents")
    experiment = experiment.changed({"data.latents": ""})
    source, with_mirrored = experiment.training_source, experiment.data.random_flip
    codec = require_latents(experiment.method.codec, "--mode=encode")
    weights = experiment.codec_weights(workdir)
    batches = pipeline.evaluation_batches(
        source,
        experiment.preparation,
        batch_size=batch_size,
        skip_errors=experiment.skips_errors,
    )
    mesh = processes.local_mesh()
    placed = processes.put_replicated(weights, mesh)
    num_batches = -(-len(source) // batch_size)
    progress = Progress(num_batches, batch_size, 0)
    with CacheWriter(folder, experiment.cache_index(weights)) as writer:
        for number, batch in enumerate(batches, start=1):
            pixels = processes.put_batch(batch.image.values, mesh)
            moments = np.asarray(_moments(codec, placed, pixels, with_mirrored))
            for index in np.flatnonzero(batch.valid):
                writer.write(moments[index], batch.labels[index])
            if number % experiment.train.log_every_steps == 0 or number == num_batches:
                _logger.info("%s", progress.advance(number))
    _logger.info("Wrote %d encoded examples to %s.", writer.count, folder)


@functools.partial(jax.jit, static_argnames=("codec", "with_mirrored"))
def _moments(
    codec: LatentCodec, weights: dict, pixels: jax.Array, with_mirrored: bool
) -> jax.Array:
    """Moments of uint8 images, float16 `[batch, 1 or 2, *moments_shape]`.

    The mirror images are encoded after the images, to save memory.
    """
    signal = images.to_signal(pixels)
    variants = [signal, signal[:, :, ::-1]] if with_mirrored else [signal]
    moments = jax.lax.map(functools.partial(codec.moments, weights), jnp.stack(variants))
    return jnp.swapaxes(moments, 0, 1).astype(jnp.float16)
