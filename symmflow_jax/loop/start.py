"""The start of a training: what is opened, checked and restored before anything is written."""

import dataclasses
import functools
import pathlib
from collections.abc import Sequence
from typing import Any

import jax
import optax

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.evaluation.evaluator import Evaluator, evaluator_of
from symmflow_jax.flow import keys
from symmflow_jax.flow.keys import Stream
from symmflow_jax.methods.weights import Params
from symmflow_jax.runs.checkpointing import layout, opening, restoring
from symmflow_jax.runs.classes import kept_counts
from symmflow_jax.runs.identity import (
    describe_training,
    with_ignored_as_saved,
    with_kept_colours,
)
from symmflow_jax.runs.origins import origin, teacher, warm_start
from symmflow_jax.runs.resumption import Resume, check_resumption
from symmflow_jax.runtime import processes, shared_folder
from symmflow_jax.training.parallel.parallelism import Parallelism
from symmflow_jax.training.state import TrainState, create_train_state


@dataclasses.dataclass
class Start:
    """The start of a training whose checks have passed; nothing is written yet.

    Attributes:
        experiment: data, method and optimizer.
        workdir: folder of the run.
        codec_weights: weights of the codec's network, on the host, or None.
        evaluator: the method and the evaluation split.
        parallelism: distribution of the training over the devices.
        description: description of the model and its training for checkpoints.
        state: the state of the last checkpoint, as `parallelism.targets` says; None without one.
        step: the step at which training starts.
        changes: lines about what has changed since the checkpoint, or about what a first state
            has of another run.
        train_seconds: time of the training before, or None if its checkpoint does not tell it.
        teacher: frozen parameters that a flow map is trained towards, on the host, or None.
        first_params: parameters of the first state, on the host; None for random ones.
    """

    experiment: Experiment
    workdir: pathlib.Path
    codec_weights: Any
    evaluator: Evaluator
    parallelism: Parallelism
    description: dict[str, Any]
    state: TrainState | None = None
    step: int = 0
    changes: Sequence[str] = ()
    train_seconds: float | None = 0.0
    teacher: Params | None = None
    first_params: Params | None = None

    @classmethod
    def check(
        cls, experiment: Experiment, workdir: pathlib.Path, resume: Resume = Resume.SAME
    ) -> "Start":
        """Opens data and weights, and restores the last checkpoint; only reads.

        Raises:
            DataError, ValueError, CheckpointError: as `train_and_evaluate`.
        """
        train = experiment.train
        processes.check_batch_size(
            train.batch_size, jax.device_count() * train.num_microbatches, "config.train.batch_size"
        )
        step = layout.latest_step(workdir)
        shared_folder.check_same_step(workdir, step)
        begins_with = None
        if step is not None:
            with opening.open_to_read(workdir) as manager:
                saved = restoring.restore_description(manager, step)
            warm_start.check_begun(saved, train.init_from, workdir, step)
            experiment = with_kept_colours(with_ignored_as_saved(experiment, saved), saved)
        elif train.init_from:
            begins_with = origin.open_origin("train.init_from", train.init_from)
            experiment = with_kept_colours(experiment, begins_with.description)
        if experiment.needs_class_counts:
            experiment = kept_counts.with_kept(experiment, workdir)
        codec_weights = experiment.codec_weights(workdir)
        experiment.check_latents(codec_weights)
        start = cls(
            experiment=experiment,
            workdir=workdir,
            codec_weights=codec_weights,
            evaluator=evaluator_of(experiment, workdir),
            parallelism=experiment.parallelism(),
            description=describe_training(experiment),
        )
        if step is not None:
            start._restore(saved, step, resume)
        elif begins_with is not None:
            start._begin_with(begins_with)
        start.teacher = teacher.read_teacher(start.experiment, codec_weights)
        return start

    @property
    def shapes(self) -> TrainState:
        """Shapes and dtypes of the state."""
        return self._shapes(self.experiment.optimizer)

    def create(self, key: jax.Array) -> TrainState:
        """The state before the first step."""
        return create_train_state(self.experiment.method, self.experiment.optimizer, key)

    def _shapes(self, optimizer: optax.GradientTransformation) -> TrainState:
        create = functools.partial(create_train_state, self.experiment.method, optimizer)
        return jax.eval_shape(create, keys.of_seed(self.experiment.seed, Stream.INIT))

    def _begin_with(self, run: origin.Origin) -> None:
        """Lets the first state have the averaged parameters of another run."""
        key = keys.of_seed(self.experiment.seed, Stream.INIT)
        begun = warm_start.begin(self.experiment, run, self.codec_weights, key)
        self.first_params, self.changes = begun.params, begun.told
        self.description |= {warm_start.BEGUN: begun.record}

    def _restore(self, saved: dict[str, Any], step: int, resume: Resume) -> None:
        self.changes = check_resumption(saved, self.description, step, resume, self.workdir)
        if warm_start.BEGUN in saved:
            self.description |= {warm_start.BEGUN: saved[warm_start.BEGUN]}
        with opening.open_to_read(self.workdir) as manager:
            shapes = self._shapes(self.experiment.saved_optimizer(saved["config"]))
            state = restoring.restore_training(manager, self.parallelism.targets(shapes))
        # Clipping and weight decay have no arrays, but change the tree around those of Adam.
        tree = jax.tree.structure(self.shapes.opt_state)
        opt_state = jax.tree.unflatten(tree, jax.tree.leaves(state.opt_state))
        self.state = dataclasses.replace(state, opt_state=opt_state)
        self.step = int(state.step)
        self.train_seconds = saved.get(layout.TRAIN_SECONDS)
