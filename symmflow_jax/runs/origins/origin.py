"""A run whose averaged weights another training uses."""

import pathlib
from typing import Any, NamedTuple

import jax

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.interop.weights_hash import hash_of
from symmflow_jax.methods.weights import Params
from symmflow_jax.runs.checkpointing import layout, opening, restoring
from symmflow_jax.runtime.storage import place
from symmflow_jax.semantics.labels import LabelSchema

CLOCKS = "clocks"
IMAGE_SIZE = "config.data.image_size"
"""Keys of `identity.differences`."""


class Origin(NamedTuple):
    """A run whose averaged weights are used elsewhere.

    Attributes:
        key: the config key that names it, such as "train.init_from".
        folder: folder of the run.
        step: its latest step.
        description: result of `identity.describe` in its checkpoint.
    """

    key: str
    folder: pathlib.Path
    step: int
    description: dict[str, Any]

    @property
    def experiment(self) -> Experiment:
        """The experiment of the run."""
        schema = LabelSchema.from_json(self.description["schema"])
        return Experiment.from_json(self.description["config"], schema)


def open_origin(key: str, folder: str) -> Origin:
    """Opens the run that a config key names.

    Raises:
        ValueError: if there is no run.
        StorageError: if it is in a bucket that cannot be used.
        CheckpointError: if its checkpoint cannot be read.
    """
    path = place.place(folder, f"config.{key}")
    step = layout.latest_step(path)
    if step is None:
        raise ValueError(
            f"config.{key} is {folder!r}, where there is no run: no complete checkpoint lies in "
            f"{path / 'checkpoints'}. Give the --workdir of a training or of --mode=import."
        )
    with opening.open_to_read(path) as manager:
        return Origin(key, path, step, restoring.restore_description(manager, step))


def read_params(origin: Origin) -> Params:
    """The averaged parameters of a run, NumPy arrays.

    Raises:
        CheckpointError: if they cannot be read.
    """
    shapes = jax.eval_shape(origin.experiment.method.init, jax.random.key(0))
    with opening.open_to_read(origin.folder) as manager:
        return restoring.restore_ema_params(manager, origin.step, shapes)


def check_same_kind(
    experiment: Experiment, origin: Origin, found: dict[str, str], may_differ: tuple[str, ...]
) -> None:
    """Raises ValueError if a run's network is of another kind than that of an experiment.

    Args:
        experiment: the experiment that uses its weights.
        origin: the run.
        found: result of `differences`.
        may_differ: the beginnings of keys that may differ.
    """
    every_key = [name.removeprefix("config.") for name in found]
    unused = {f"config.{name}" for name in experiment.unused_keys(every_key)}
    others = [
        text
        for name, text in found.items()
        if name not in unused and not name.startswith(may_differ)
    ]
    if others:
        raise ValueError(
            f"config.{origin.key} is {str(origin.folder)!r}, whose network is of another kind: "
            f"{'; '.join(others)}. Set these keys as the run had them, or name another run."
        )


def check_same_autoencoder(origin: Origin, codec_weights: Any) -> None:
    """Raises ValueError if a run's latents are those of another autoencoder."""
    if codec_weights is None:
        return
    kept = origin.experiment.kept_codec_weights(origin.folder)
    if hash_of(kept["encoder"]) != hash_of(codec_weights["encoder"]):
        raise ValueError(
            f"config.{origin.key} is {str(origin.folder)!r}, which has learned the latents of "
            "another autoencoder; set config.autoencoder.weights to "
            f"{str(origin.folder / 'autoencoder.safetensors')!r}, its own copy."
        )
