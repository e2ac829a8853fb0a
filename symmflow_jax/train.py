"""Training: `train_and_evaluate` runs a config from the first step or from its checkpoint.

The module can be called: `symmflow_jax.train(config, overrides, workdir=...)` is `train` of
`symmflow_jax.commands.python`, and says what it takes.
"""

import contextlib
import dataclasses
import functools
import inspect
import logging
import pathlib
import sys
import types
from collections.abc import Iterator, Sequence
from typing import Any

import grain
import jax
import numpy as np
import optax
import orbax.checkpoint as ocp
from clu import parameter_overview

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.evaluation.evaluator import EvaluatedWeights, Evaluator, evaluator_of
from symmflow_jax.evaluation.measurement import Measurement, score
from symmflow_jax.evaluation.report import summary
from symmflow_jax.evaluation.report.report import report_evaluation, scalars, write_grid
from symmflow_jax.evaluation.sweep import measure_quickly
from symmflow_jax.flow import keys
from symmflow_jax.flow.keys import Stream
from symmflow_jax.methods.weights import FrozenWeights, Params, Weights
from symmflow_jax.runs import checkpoints, folder
from symmflow_jax.runs.bucket import staging
from symmflow_jax.runs.classes import kept_counts
from symmflow_jax.runs.events import EventWriter
from symmflow_jax.runs.identity import (
    describe_training,
    with_ignored_as_saved,
    with_kept_colours,
)
from symmflow_jax.runs.origins import origin, teacher, warm_start
from symmflow_jax.runs.pictures.legend import LEGEND, legend
from symmflow_jax.runs.resumption import Resume, check_resumption
from symmflow_jax.runtime import files, log_lines, outputs, processes, shared_folder
from symmflow_jax.runtime.cluster import session
from symmflow_jax.runtime.cluster.departure import Departure
from symmflow_jax.runtime.errors import CheckpointError
from symmflow_jax.runtime.progress import Progress
from symmflow_jax.runtime.signals import Interrupted, InterruptionRequest
from symmflow_jax.semantics.kinds import SemanticsKind
from symmflow_jax.training.parallel.parallelism import Parallelism
from symmflow_jax.training.state import TrainState, create_train_state

_logger = logging.getLogger(__name__)


class NonFiniteLoss(ArithmeticError):
    """The loss or the gradient became NaN or infinite."""


def train_and_evaluate(
    experiment: Experiment, workdir: pathlib.Path, resume: Resume = Resume.SAME
) -> list[Measurement]:
    """Trains to the end of an experiment, then evaluates; resumes from the last checkpoint.

    All files are written to `workdir`: checkpoints, TensorBoard events, grids of images, plots,
    `config.json`, `versions.json`, `data.json`, `history.jsonl`, `metrics.json`, `report.md`, the
    weights of the autoencoder if there is one, the legend `classes.png` of masks, `cost.json`, and
    `skipped.jsonl` if unreadable examples were skipped. Nothing there changes before all checks
    have passed.

    Args:
        experiment: the run.
        workdir: its folder.
        resume: what to do with checkpoints in the folder.

    Returns:
        the measurements of the final evaluation.

    Raises:
        DataError: if data is missing or cannot be read.
        ValueError: if the config does not fit the devices, the data, or the checkpoint, if the
            data has changed, if another training writes to the folder, or if it cannot be written.
        NonFiniteLoss: if the loss is no longer a number.
        CheckpointError: if a checkpoint, or another file of the run, cannot be written or read.
        Interrupted: after SIGTERM or Ctrl-C, once everything is saved.
    """
    stops = session.stops()
    with folder.Claim(workdir) as claim:
        with stops.stage(_BEFORE, functools.partial(_tell_kept, workdir)):
            start = Start.check(experiment, workdir, resume)
            claim.take()
            shared_folder.check(workdir)
            with _explained_refusals(workdir):
                run = Run.begin(start, claim)
        with _explained_refusals(workdir):
            try:
                with stops:
                    state, step = run.train(*run.first_state(), stops)
                return run.finish(state, step, stops)
            finally:
                run.close()


Stops = Departure | InterruptionRequest
"""Where a run stops after a signal."""

_BEFORE = -1
"""The place at which a run may stop before its first step; see `Departure`."""


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
        step = checkpoints.latest_step(workdir)
        shared_folder.check_same_step(workdir, step)
        begins_with = None
        if step is not None:
            with checkpoints.open_to_read(workdir) as manager:
                saved = checkpoints.restore_description(manager, step)
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
        with checkpoints.open_to_read(self.workdir) as manager:
            shapes = self._shapes(self.experiment.saved_optimizer(saved["config"]))
            state = checkpoints.restore_training(manager, self.parallelism.targets(shapes))
        # Clipping and weight decay have no arrays, but change the tree around those of Adam.
        tree = jax.tree.structure(self.shapes.opt_state)
        opt_state = jax.tree.unflatten(tree, jax.tree.leaves(state.opt_state))
        self.state = dataclasses.replace(state, opt_state=opt_state)
        self.step = int(state.step)
        self.train_seconds = saved.get(checkpoints.TRAIN_SECONDS)


@dataclasses.dataclass
class Run:
    """A training that writes to its folder.

    Attributes:
        start: what it starts from.
        iterator: iterator over the training batches.
        manager: manager of the checkpoints.
        events: writer of TensorBoard events; None in all processes but the first.
        growing: the files that grow.
        claim: the lock of the folder.
        train_seconds: time of all steps so far, or None if it is not known.
    """

    start: Start
    iterator: grain.DatasetIterator
    manager: ocp.CheckpointManager
    events: EventWriter | None
    growing: staging.Staging
    claim: folder.Claim
    train_seconds: float | None = None

    @classmethod
    def begin(cls, start: Start, claim: folder.Claim) -> "Run":
        """Opens checkpoints and logs for writing, and describes the run in its folder.

        Raises:
            ValueError: if another training has written a checkpoint since the checks.
        """
        experiment, workdir = start.experiment, start.workdir
        if checkpoints.latest_step(workdir) != (None if start.state is None else start.step):
            raise ValueError(
                f"Another training has written to {workdir} meanwhile; run the command again."
            )
        manager = checkpoints.open_manager(workdir, experiment.train.keep_checkpoints)
        if processes.is_primary():
            folder.write_description(workdir, experiment.to_json(), start.description["data"])
            if experiment.kind is SemanticsKind.MASK:
                files.write_image(workdir / LEGEND, legend(experiment.schema))
            if experiment.needs_class_counts:
                kept_counts.keep(experiment, workdir)
        growing = staging.of(workdir)
        skip_log = growing.fetch(folder.SKIPPED)
        return cls(
            start=start,
            iterator=experiment.training_batches(skip_log, first_batch=start.step),
            manager=manager,
            events=EventWriter(growing.folder) if processes.is_primary() else None,
            growing=growing,
            claim=claim,
            train_seconds=start.train_seconds,
        )

    @property
    def experiment(self) -> Experiment:
        """Data, method and optimizer."""
        return self.start.experiment

    @property
    def workdir(self) -> pathlib.Path:
        """Folder of the run."""
        return self.start.workdir

    @property
    def parallelism(self) -> Parallelism:
        """Distribution of the training over the devices."""
        return self.start.parallelism

    @property
    def evaluator(self) -> Evaluator:
        """The method and the evaluation split."""
        return self.start.evaluator

    def first_state(self) -> tuple[TrainState, int]:
        """The state to start from, on the devices, and its step."""
        state, self.start.state = self.start.state, None  # The host's copy is not kept.
        _logger.info("%s", self.experiment.augmentation_in_words)
        if state is None:
            overview = parameter_overview.get_parameter_overview(
                self.start.shapes.params, include_stats=False
            )
            _logger.info("Parameters:\n%s", overview, extra=log_lines.TABLE)
            return self._created(), 0
        _logger.info("Resumed %s at step %d.", self.workdir, self.start.step)
        for change in self.start.changes:
            _logger.info("%s", change)
        return self.parallelism.place(state), self.start.step

    def _created(self) -> TrainState:
        """The state before the first step."""
        key = keys.of_seed(self.experiment.seed, Stream.INIT)
        state = self.parallelism.create(self.start.create, key)
        params, self.start.first_params = self.start.first_params, None
        if params is None:
            return state
        for line in self.start.changes:
            _logger.info("%s", line)
        # Separate buffers, because training donates both.
        place = self.parallelism.place
        return dataclasses.replace(state, params=place(params), ema_params=place(params))

    def _place_frozen(self) -> FrozenWeights:
        """Places the weights that no step changes on the devices.

        Those of the codec are copied to the run's folder, after the check that the checkpoint has
        the same model.
        """
        self.experiment.keep_codec_weights(self.workdir, self.start.codec_weights)
        frozen = FrozenWeights(self.start.codec_weights, self.start.teacher)
        self.start.teacher = None  # The host's copy is not kept.
        return self.parallelism.place(frozen)

    def train(self, state: TrainState, step: int, stops: Stops) -> tuple[TrainState, int]:
        """Trains from `step` to the last step, with logs, evaluations and checkpoints.

        Between these, nothing is fetched from the devices.

        Returns:
            the state, and its step.

        Raises:
            NonFiniteLoss: if the loss or the gradient is not finite.
            Interrupted: after a signal, once a checkpoint is saved.
        """
        train, num_steps = self.experiment.train, self.experiment.num_steps
        train_step = self.experiment.train_step(self.experiment.optimizer, self.parallelism)
        frozen = self._place_frozen()
        key = keys.of_seed(self.experiment.seed, Stream.TRAINING)
        history = folder.History(self.growing.fetch(folder.HISTORY).parent, step)
        progress = Progress(num_steps, train.batch_size, step)
        pending: list[dict[str, jax.Array]] = []
        self._evaluate_late(state, step, stops)
        # Until the first step is compiled, the state is that of the checkpoint.
        stage = stops.stage(step, functools.partial(_tell_kept, self.workdir))
        while step < num_steps:
            with stage:
                batch = self.parallelism.place_batch(next(self.iterator))
                state, metrics = train_step(state, frozen, batch, key)
            stage = contextlib.nullcontext()
            pending.append(metrics)
            step += 1
            signal_number = stops.passes(step)
            leaving = signal_number is not None
            is_last = step == num_steps
            evaluates = _is_due(step, train.eval_every_steps) and not leaving and not is_last
            saves = evaluates or is_last or leaving or _is_due(step, train.checkpoint_every_steps)
            if saves or _is_due(step, train.log_every_steps):
                means = self._read(pending, step)
                pending = []
                line = progress.advance(step)
                self._log(step, means, line, history)
            if evaluates or saves:
                if self.start.train_seconds is not None:
                    self.train_seconds = self.start.train_seconds + progress.seconds
                progress.pause()
                self._save(state, step, evaluates, stops)
                progress.resume()
            if signal_number is not None:
                self._tell_saved(step)
                raise Interrupted(signal_number)
        return state, step

    def finish(self, state: TrainState, step: int, stops: Stops) -> list[Measurement]:
        """Runs the final evaluation of a step and writes its report; returns the measurements."""
        checkpoints.finish(self.manager)
        with stops.stage(step + 1, functools.partial(self._tell_saved, step)):
            ema_params = self.parallelism.fetch(state.ema_params)
            evaluated = self._evaluated(ema_params, step)
            table = report_evaluation(self.evaluator, evaluated, self.workdir)
        if self.events:
            self.events.write_scalars(step, scalars(table))
        self.growing.sync()
        return table

    def close(self) -> None:
        """Closes data, logs and checkpoints; their errors have been raised before."""
        for opened in (self.iterator, self.events, self.growing, self.manager):
            try:
                if opened is not None:
                    opened.close()
            except Exception:
                _logger.debug("Not closed: %s", opened, exc_info=True)

    def _read(self, pending: list[dict[str, jax.Array]], step: int) -> dict[str, float]:
        """Fetches pending metrics; returns their means or stops at a non-finite step."""
        fetched = self.parallelism.read(pending)
        series = {name: np.stack([metrics[name] for metrics in fetched]) for name in fetched[0]}
        finite = np.isfinite(series["loss"]) & np.isfinite(series["gradient_norm"])
        if not finite.all():
            self._stop_at(step - len(fetched) + int(np.argmin(finite)), series, finite)
        return {name: float(np.mean(values)) for name, values in series.items()}

    def _stop_at(self, step: int, series: dict[str, np.ndarray], finite: np.ndarray) -> None:
        """Writes the batch of a non-finite step and raises `NonFiniteLoss`.

        The batch is loaded again: the batch of a step depends only on the seed.
        """
        checkpoints.finish(self.manager)
        iterator = self.experiment.training_batches(first_batch=step)
        path = self.workdir / f"non_finite_step_{step}.npz"
        outputs.write_arrays(path, step=np.asarray(step), **next(iterator).to_arrays())
        latest = self.manager.latest_step()
        good = "none" if latest is None else f"step {latest}"
        loss = series["loss"][np.argmin(finite)]
        raise NonFiniteLoss(
            f"Step {step}: the loss is {loss} (or its gradient is not finite). Its batch is in "
            f"{path}. The last good checkpoint is {good}. "
            "Lower config.train.peak_learning_rate, set config.train.clip_norm=1.0, or look for "
            "broken values in the batch; the same command then goes on from that checkpoint."
        )

    def _log(self, step: int, means: dict[str, float], line: str, history) -> None:
        _logger.info("%s  loss %.4f", line, means["loss"], extra=log_lines.PROGRESS)
        if self.events:
            self.events.write_scalars(step, {f"train/{k}": v for k, v in means.items()})
            history.append(step, means)
            self.growing.sync(folder.HISTORY, seconds=1.0)

    def _save(self, state: TrainState, step: int, evaluates: bool, stops: Stops) -> None:
        """Saves a checkpoint, after a quick evaluation if one is due.

        If all stop during the evaluation, the checkpoint has no score; see `_evaluate_late`.
        """
        self.claim.check()
        fetched = self.parallelism.fetch(state)
        description = self.start.description | {checkpoints.TRAIN_SECONDS: self.train_seconds}
        value = None
        if evaluates:

            def save() -> None:
                checkpoints.save(self.manager, fetched, description, None)
                self._tell_saved(step)

            with stops.stage(step, save):
                value = self._evaluate_quickly(fetched.ema_params, step)
        self.growing.sync()  # Before the checkpoint, so that none has steps without lines.
        checkpoints.save(self.manager, fetched, description, value)

    def _evaluate_late(self, state: TrainState, step: int, stops: Stops) -> None:
        """Evaluates the state of a checkpoint that was saved when its evaluation was due."""
        train = self.experiment.train
        is_due = 0 < step < self.experiment.num_steps and _is_due(step, train.eval_every_steps)
        if not is_due or checkpoints.score_of(self.manager, step) is not None:
            return
        with stops.stage(step, functools.partial(_tell_kept, self.workdir)):
            value = self._evaluate_quickly(self.parallelism.fetch(state.ema_params), step)
            if value is not None:
                self.manager.close()
                if processes.is_primary():
                    checkpoints.add_score(self.workdir, step, value)
                session.exchange("late score", True)
                self.manager = checkpoints.open_manager(self.workdir, train.keep_checkpoints)

    def _evaluated(self, ema_params: Params, step: int) -> EvaluatedWeights:
        """Fetched parameters and the codec's weights, placed for evaluation."""
        mesh = processes.local_mesh()
        codec_weights = processes.put_replicated(self.start.codec_weights, mesh)
        params = self.parallelism.for_inference(ema_params)
        scale = self.start.description["native_scale"]
        return EvaluatedWeights(Weights(params, codec_weights), step, self.train_seconds, scale)

    def _evaluate_quickly(self, ema_params: Params, step: int) -> float | None:
        evaluated = self._evaluated(ema_params, step)
        table = measure_quickly(self.evaluator, evaluated)
        path = self.workdir / f"pictures/step_{step:07d}.png"
        grid = write_grid(self.evaluator, evaluated, path)
        if self.events:
            self.events.write_images(step, {"examples": grid})
            self.events.write_scalars(step, scalars(table))
        _logger.info("step %d  %s", step, summary.in_one_line(table))
        return score(table)

    def _tell_saved(self, step: int) -> None:
        """Waits until a step is saved, and says so."""
        checkpoints.finish(self.manager)
        self.growing.sync()
        _tell_kept(self.workdir, step)


def _tell_kept(workdir: pathlib.Path, step: int | None = None) -> None:
    """Says what a run that stops has saved: a step, or else its last checkpoint."""
    step = checkpoints.latest_step(workdir) if step is None else step
    kept = "Nothing is trained" if step is None else f"Saved step {step}"
    _logger.info("%s in %s; the same command goes on from here.", kept, workdir)


@contextlib.contextmanager
def _explained_refusals(workdir: pathlib.Path) -> Iterator[None]:
    """Turns the file system's refusal to write the run's files into an error of one line."""
    try:
        yield
    except OSError as error:
        if not folder.is_refusal(error, workdir):
            raise
        steps = checkpoints.complete_steps(workdir)
        kept = f"step {steps[-1]} is complete" if steps else "no checkpoint is complete"
        raise CheckpointError(
            f"{error.filename or workdir} could not be written ({checkpoints.reason(error)}); "
            f"{kept}. Free space there, or give another --workdir, and run the command again."
        ) from error


def _is_due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0


class _TrainFunction(types.ModuleType):
    """This module as the function `symmflow_jax.train`.

    Python makes the module an attribute of the package under the name of the function, whenever
    something imports it.
    """

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Trains a network and gives its model; see `symmflow_jax.commands.python.train`."""
        from symmflow_jax.commands.python import train

        return train(*arguments, **named)

    @property
    def __signature__(self) -> inspect.Signature:
        from symmflow_jax.commands.python import train

        return inspect.signature(train)


sys.modules[__name__].__class__ = _TrainFunction
