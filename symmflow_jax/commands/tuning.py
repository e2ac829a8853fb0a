"""Networks beside the velocity: the decoder for masks, and the classifier of a metric."""

import pathlib
from typing import TYPE_CHECKING

from symmflow_jax.commands.flags import paths
from symmflow_jax.commands.mode import FILES, KIND, MODEL, Mode
from symmflow_jax.config.reading.range_flags import define_number
from symmflow_jax.config.schema.ranges import at_least

if TYPE_CHECKING:
    from symmflow_jax.config.build.experiment import Experiment

_CLASSIFIER_STEPS = define_number(
    "classifier_steps", 350, "Steps of training a classifier.", int, at_least(1)
)


def _finetune_vae(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.preparation.finetune_decoder import finetune_vae

    finetune_vae(experiment, workdir, overwrite=paths.OVERWRITE.value)


def _train_classifier(experiment: "Experiment", workdir: pathlib.Path) -> None:
    from symmflow_jax.preparation.train_classifier import train_classifier

    output = paths.output(workdir / "classifier.safetensors")
    train_classifier(experiment, output, _CLASSIFIER_STEPS.value, overwrite=paths.OVERWRITE.value)


FINETUNE_VAE = Mode(
    _finetune_vae,
    "tunes the autoencoder's decoder for masks",
    ("overwrite",),
    (
        *("seed", "data", *MODEL, "finetune", "train.log_every_steps"),
        *("eval.batch_size", "eval.num_examples"),
    ),
)
TRAIN_CLASSIFIER = Mode(
    _train_classifier,
    "trains a classifier whose features measure small images",
    (*FILES, "classifier_steps"),
    ("seed", "data", *KIND, "train.batch_size"),
)
