"""Opens trained models: `load` for notebooks and for the command line."""

import os

import jax

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.inference.model import Model
from symmflow_jax.methods.weights import Weights
from symmflow_jax.runs.checkpointing import layout, opening, restoring
from symmflow_jax.runtime import log_lines, paths, processes, tracebacks
from symmflow_jax.runtime.storage import place
from symmflow_jax.semantics.labels import LabelSchema


@tracebacks.short
def load(workdir: str | os.PathLike, checkpoint: str = "latest") -> Model:
    """Loads the model of a run from the run's folder; needs no config file and no data set.

    Args:
        workdir: folder of the run, also in a bucket, such as "gs://bucket/run"; `~` and
            `$VARIABLES` in it are expanded.
        checkpoint: "latest" or "best".

    Raises:
        ValueError: if `workdir` names a variable of the environment that is not set, or
            `checkpoint` is something else.
        CheckpointError: if there is no complete checkpoint, it cannot be read, or its weights are
            not finite.
        WeightsFileError: if the run's copy of the autoencoder is missing or damaged.
    """
    name = "The folder of the run"
    folder = place.place(paths.expand(os.fspath(workdir), name), name)
    with log_lines.libraries_quiet(), opening.open_to_read(folder) as manager:
        step = opening.choose_step(manager, checkpoint)
        description = restoring.restore_description(manager, step)
        schema = LabelSchema.from_json(description["schema"])
        experiment = Experiment.from_json(description["config"], schema)
        shapes = jax.eval_shape(experiment.method.init, jax.random.key(0))
        # Weights that were sharded in training may need the memory of all devices here too.
        parallelism = experiment.parallelism(jax.local_devices())
        params = restoring.restore_ema_params(manager, step, parallelism.targets(shapes))
    codec_weights = experiment.kept_codec_weights(folder)
    weights = Weights(
        parallelism.for_inference(params),
        processes.put_replicated(codec_weights, processes.local_mesh()),
    )
    seconds, scale = description.get(layout.TRAIN_SECONDS), description.get("native_scale")
    return Model(experiment, weights, step, seconds, scale, str(folder))
