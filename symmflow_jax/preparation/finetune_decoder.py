"""Fine-tuning of the autoencoder's decoder on pictures of labels, for sharper segmentation."""

import dataclasses
import functools
import logging
import math
import pathlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from symmflow_jax.codecs import autoencoder_weights
from symmflow_jax.codecs.latents import LatentCodec, require_latents
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data import pipeline
from symmflow_jax.data.batch import Batch
from symmflow_jax.flow import keys
from symmflow_jax.flow.keys import Stream
from symmflow_jax.metrics import confusion
from symmflow_jax.metrics.confusion import ConfusionMatrix
from symmflow_jax.runtime import outputs, processes
from symmflow_jax.runtime.compilation import jit_once
from symmflow_jax.runtime.progress import Progress
from symmflow_jax.runtime.signals import Interrupted, InterruptionRequest
from symmflow_jax.semantics.kinds import SemanticsKind

_logger = logging.getLogger(__name__)


def finetune_vae(experiment: Experiment, workdir: pathlib.Path, *, overwrite: bool = False) -> None:
    """Trains the decoder and writes `workdir/mask_decoder.safetensors`, a whole autoencoder.

    The decoder learns to reconstruct the clean colours of a mask, or of a label's plane, from the
    latents that the flow uses: the mode of the posterior of the dequantised picture. The encoder
    does not change. The accuracy after encoder and decoder is reported before and after.

    If the run already has a decoder for masks, the training starts from it.

    Args:
        experiment: the run; its `finetune` section configures this training.
        workdir: its folder.
        overwrite: whether to replace the decoder that the run already has.

    Raises:
        DataError: if data is missing or cannot be read.
        OutputError: if the file exists or cannot be written, before the training.
        ValueError: if the config has no autoencoder, if the devices do not divide a batch, or if
            there are several processes.
        WeightsFileError: if weights cannot be read or written.
        ArithmeticError: if the squared error is not finite; nothing is written then.
        Interrupted: after SIGTERM or Ctrl-C, once the decoder is saved.
    """
    processes.check_single_process("--mode=finetune_vae")
    for batch_size, name in (
        (experiment.finetune.batch_size, "config.finetune.batch_size"),
        (experiment.eval.batch_size, "config.eval.batch_size"),
    ):
        processes.check_batch_size(batch_size, jax.local_device_count(), name)
    codec = require_latents(experiment.method.codec, "--mode=finetune_vae")
    path = workdir / autoencoder_weights.MASK_DECODER
    outputs.check_outputs([path], overwrite=overwrite, instead="another --workdir")
    weights = experiment.codec_weights(workdir)
    weights = {"mask_decoder": weights["decoder"]} | weights
    weights = processes.put_replicated(weights, processes.local_mesh())
    _report(experiment, codec, weights, "Before")
    with InterruptionRequest() as request:
        weights = _train(experiment, codec, weights, request)
    tuned = {"encoder": weights["encoder"], "decoder": weights["mask_decoder"]}
    autoencoder_weights.write(path, tuned, codec.autoencoder)
    _logger.info("Wrote %s.", path)
    if request.signal_number is not None:
        raise Interrupted(request.signal_number)
    _report(experiment, codec, weights, "After")


def _train(
    experiment: Experiment,
    codec: LatentCodec,
    weights: dict[str, Any],
    request: InterruptionRequest,
) -> dict[str, Any]:
    """Trains the decoder for masks until the last step or a signal; returns all weights."""
    tuning = experiment.finetune
    batches = experiment.training_batches(batch_size=tuning.batch_size)
    optimizer = optax.adam(tuning.learning_rate)
    step = make_step(codec, optimizer)
    # A copy, since the step donates its buffers.
    begin = jit_once(lambda tree: (jax.tree.map(jnp.copy, tree), optimizer.init(tree)))
    decoder, opt_state = begin(weights["mask_decoder"])
    key = keys.of_seed(experiment.seed, Stream.FINETUNING)
    progress = Progress(tuning.num_steps, tuning.batch_size, 0)
    losses = []
    for number in range(1, tuning.num_steps + 1):
        batch = processes.put_batch(_masks(next(batches)), processes.local_mesh())
        step_key = jax.random.fold_in(key, number)
        decoder, opt_state, loss = step(decoder, opt_state, weights["encoder"], batch, step_key)
        losses.append(loss)
        leaving = request.signal_number is not None
        if leaving or number % experiment.train.log_every_steps == 0 or number == tuning.num_steps:
            mean = float(np.mean(jax.device_get(losses)))
            losses = []
            if not math.isfinite(mean):
                raise ArithmeticError(
                    f"Step {number}: the squared error is {mean}, and nothing was written. Lower "
                    "config.finetune.learning_rate."
                )
            _logger.info("%s  squared error %.5f", progress.advance(number), mean)
        if leaving:
            break
    return weights | {"mask_decoder": decoder}


def make_step(codec: LatentCodec, optimizer: optax.GradientTransformation) -> Callable:
    """Makes the jitted train step of the decoder.

    Its signature is `step(decoder, opt_state, encoder, batch, key) -> (decoder, opt_state, loss)`.
    It donates `decoder` and `opt_state`.

    Args:
        codec: the codec.
        optimizer: the optimizer.
    """

    def loss(decoder: Any, latents: jax.Array, clean: jax.Array) -> jax.Array:
        decoded = codec.decode_semantics({"mask_decoder": decoder}, latents)
        return jnp.mean(jnp.square(decoded - clean))

    def step(decoder: Any, opt_state: Any, encoder: Any, batch: Any, key: jax.Array):
        example_keys = keys.example_keys(key, batch.example_index)
        latents = codec.encode_semantics({"encoder": encoder}, example_keys, batch.labels)
        clean = codec.encoding.encode_clean(batch.labels)
        value, grads = jax.value_and_grad(loss)(decoder, latents, clean)
        updates, opt_state = optimizer.update(grads, opt_state)
        return optax.apply_updates(decoder, updates), opt_state, value

    return jax.jit(step, donate_argnums=(0, 1))


def reconstruction_accuracy(
    experiment: Experiment, codec: LatentCodec, weights: dict[str, Any]
) -> float:
    """Accuracy of the evaluation split's masks (by pixel) or labels after encoder and decoder.

    It lies in [0, 1]. What is of an ignored class does not count.
    """
    batches = pipeline.evaluation_batches(
        experiment.evaluation_source,
        experiment.preparation,
        batch_size=experiment.eval.batch_size,
        num_examples=experiment.eval.num_examples,
        skip_errors=experiment.skips_errors,
    )
    schema = experiment.schema
    total = ConfusionMatrix.empty(schema.num_classes)
    for batch in batches:
        placed = processes.put_batch(_masks(batch), processes.local_mesh())
        key = keys.of_seed(experiment.seed, Stream.EVALUATION)
        total = total.merge(_count(codec, schema.num_classes, weights, placed, key))
    return confusion.accuracy(np.asarray(total.compute()), schema.ignored)


def _masks(batch: Batch) -> Batch:
    """The batch without its images, which the devices do not need."""
    return dataclasses.replace(batch, image=None)  # type: ignore[arg-type]


@functools.partial(jax.jit, static_argnums=(0, 1))
def _count(
    codec: LatentCodec, num_classes: int, weights: dict[str, Any], batch: Any, key: jax.Array
) -> ConfusionMatrix:
    """Confusion matrix of a batch of masks and the same masks after encoder and decoder."""
    example_keys = keys.example_keys(key, batch.example_index)
    latents = codec.encode_semantics(weights, example_keys, batch.labels)
    decoded = codec.encoding.decode(codec.decode_semantics(weights, latents))
    return ConfusionMatrix.from_labels(batch.labels, decoded, batch.valid, num_classes)


def _report(experiment: Experiment, codec: LatentCodec, weights: dict[str, Any], when: str) -> None:
    accuracy = reconstruction_accuracy(experiment, codec, weights)
    what = {
        SemanticsKind.MASK: "pixel accuracy of decoded masks",
        SemanticsKind.LABEL: "accuracy of decoded labels",
    }[experiment.kind]
    _logger.info("%s fine-tuning: %s %.4f", when, what, accuracy)
