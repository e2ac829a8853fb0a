"""Training of the classifier whose features are used to evaluate small images.

    python -m symmflow_jax.main --mode=train_classifier --config=configs/mnist.py \
        --config.data.dir=data/mnist --config.train.batch_size=128 \
        --output=mnist_classifier.safetensors

The classifier learns the labels of the config's training split. Its accuracy on the evaluation
split is logged and stored in the file. The command above reaches 98.7 % in two minutes of CPU time.
"""

import itertools
import logging
import pathlib
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data import pipeline
from symmflow_jax.data.batch import Batch
from symmflow_jax.data.fingerprint import fingerprint
from symmflow_jax.flow import keys
from symmflow_jax.flow.keys import Stream
from symmflow_jax.metrics import confusion
from symmflow_jax.metrics.classifier import Classifier, write_classifier
from symmflow_jax.metrics.confusion import ConfusionMatrix
from symmflow_jax.runtime import outputs
from symmflow_jax.runtime.storage import place
from symmflow_jax.semantics.kinds import SemanticsKind

_logger = logging.getLogger(__name__)

_PEAK_LEARNING_RATE = 2e-3


def train_classifier(
    experiment: Experiment,
    output: str | pathlib.Path,
    num_steps: int,
    *,
    overwrite: bool = False,
) -> None:
    """Trains, evaluates and writes a classifier.

    Args:
        experiment: data, seed and batch size.
        output: file to write, `.safetensors`.
        num_steps: number of training steps.
        overwrite: whether to replace a file that exists.

    Raises:
        DataError: if data is missing or cannot be read.
        OutputError: if the file exists or cannot be written, before the training.
        ValueError: if the config has masks or points, or if the file has another suffix.
    """
    output = place.as_path(output)
    if output.suffix != ".safetensors":
        raise ValueError(f"--output is {str(output)!r}; give a name that ends in .safetensors.")
    if experiment.kind is not SemanticsKind.LABEL or not experiment.data.image_size:
        raise ValueError(
            "A classifier needs images with labels; choose a config whose semantics.encoding is "
            "'plane' or 'colour'."
        )
    outputs.check_outputs([output], overwrite=overwrite)
    height, width = experiment.data.image_size
    image_shape = (height, width, experiment.data.image_channels)
    network = Classifier(experiment.schema.num_classes, image_shape)
    batches = experiment.training_batches()
    params = _fit(network, itertools.islice(batches, num_steps), experiment.seed, num_steps)

    eval_batches = pipeline.evaluation_batches(
        experiment.evaluation_source,
        experiment.preparation,
        batch_size=experiment.train.batch_size,
    )
    score = _accuracy(network, params, eval_batches)
    _logger.info("accuracy on the evaluation split: %.4f", score)
    metadata = {
        "accuracy": score,
        "num_steps": num_steps,
        "source": experiment.data.source,
        "data_digest": fingerprint(experiment.training_source).digest,
    }
    write_classifier(output, network, params, metadata)
    _logger.info("wrote %s", output)


def _fit(network: Classifier, batches: Iterable[Batch], seed: int, num_steps: int) -> Any:
    optimizer = optax.adam(optax.cosine_decay_schedule(_PEAK_LEARNING_RATE, num_steps))
    images = jnp.zeros((1, *network.image_shape), jnp.uint8)
    params = jax.jit(network.init)(keys.of_seed(seed, Stream.INIT), images)
    opt_state = optimizer.init(params)
    step = _make_step(network, optimizer)
    for number, batch in enumerate(batches, start=1):
        params, opt_state, loss = step(params, opt_state, batch.image.values, batch.labels)
        if number % 50 == 0 or number == num_steps:
            _logger.info("step %d/%d  loss %.4f", number, num_steps, loss)
    return params["params"]


def _make_step(network: Classifier, optimizer: optax.GradientTransformation) -> Callable:
    def loss(params, images: jax.Array, labels: jax.Array) -> jax.Array:
        logits = network.apply(params, images)
        return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, labels))

    @jax.jit
    def step(params, opt_state, images: jax.Array, labels: jax.Array):
        value, gradients = jax.value_and_grad(loss)(params, images, labels)
        updates, opt_state = optimizer.update(gradients, opt_state)
        return optax.apply_updates(params, updates), opt_state, value

    return step


def _accuracy(network: Classifier, params: Any, batches: Iterable[Batch]) -> float:
    @jax.jit
    def count(params, images: jax.Array, labels: jax.Array, valid: jax.Array) -> ConfusionMatrix:
        logits = jnp.asarray(network.apply({"params": params}, images))
        predictions = jnp.argmax(logits, axis=-1)
        return ConfusionMatrix.from_labels(labels, predictions, valid, network.num_classes)

    total = ConfusionMatrix.empty(network.num_classes)
    for batch in batches:
        total = total.merge(count(params, batch.image.values, batch.labels, batch.valid))
    return confusion.accuracy(total.compute())
