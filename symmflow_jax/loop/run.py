"""A training that writes to its folder: its steps, logs, checkpoints and evaluations."""

import contextlib
import dataclasses
import functools
import logging
import pathlib

import grain
import jax
import numpy as np
import orbax.checkpoint as ocp
from clu import parameter_overview

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.evaluation.evaluator import EvaluatedWeights, Evaluator
from symmflow_jax.evaluation.measurement import Measurement, score
from symmflow_jax.evaluation.report import summary
from symmflow_jax.evaluation.report.report import (
    log_scores,
    report_evaluation,
    scalars,
    write_grid,
)
from symmflow_jax.evaluation.sweep import measure_quickly
from symmflow_jax.flow import keys
from symmflow_jax.flow.keys import Stream
from symmflow_jax.loop.start import Start
from symmflow_jax.methods.weights import FrozenWeights, Params, Weights
from symmflow_jax.runs import folder
from symmflow_jax.runs.bucket import staging
from symmflow_jax.runs.checkpointing import layout, opening, saving
from symmflow_jax.runs.classes import kept_counts
from symmflow_jax.runs.events import EventWriter
from symmflow_jax.runs.pictures.legend import LEGEND, legend
from symmflow_jax.runtime import files, log_lines, outputs, processes
from symmflow_jax.runtime.cluster import session
from symmflow_jax.runtime.cluster.departure import Departure
from symmflow_jax.runtime.progress import Progress
from symmflow_jax.runtime.signals import Interrupted, InterruptionRequest
from symmflow_jax.semantics.kinds import SemanticsKind
from symmflow_jax.training.parallel.parallelism import Parallelism
from symmflow_jax.training.state import TrainState

_logger = logging.getLogger(__name__)


Stops = Departure | InterruptionRequest
"""Where a run stops after a signal."""


class NonFiniteLoss(ArithmeticError):
    """The loss or the gradient became NaN or infinite."""


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
        if layout.latest_step(workdir) != (None if start.state is None else start.step):
            raise ValueError(
                f"Another training has written to {workdir} meanwhile; run the command again."
            )
        manager = opening.open_manager(workdir, experiment.train.keep_checkpoints)
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
        stage = stops.stage(step, functools.partial(tell_kept, self.workdir))
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
        saving.finish(self.manager)
        with stops.stage(step + 1, functools.partial(self._tell_saved, step)):
            ema_params = self.parallelism.fetch(state.ema_params)
            evaluated = self._evaluated(ema_params, step)
            table = report_evaluation(self.evaluator, evaluated, self.workdir)
        log_scores(table, self.workdir)
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
        saving.finish(self.manager)
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
        description = self.start.description | {layout.TRAIN_SECONDS: self.train_seconds}
        value = None
        if evaluates:

            def save() -> None:
                saving.save(self.manager, fetched, description, None)
                self._tell_saved(step)

            with stops.stage(step, save):
                value = self._evaluate_quickly(fetched.ema_params, step)
        self.growing.sync()  # Before the checkpoint, so that none has steps without lines.
        saving.save(self.manager, fetched, description, value)

    def _evaluate_late(self, state: TrainState, step: int, stops: Stops) -> None:
        """Evaluates the state of a checkpoint that was saved when its evaluation was due."""
        train = self.experiment.train
        is_due = 0 < step < self.experiment.num_steps and _is_due(step, train.eval_every_steps)
        if not is_due or opening.score_of(self.manager, step) is not None:
            return
        with stops.stage(step, functools.partial(tell_kept, self.workdir)):
            value = self._evaluate_quickly(self.parallelism.fetch(state.ema_params), step)
            if value is not None:
                self.manager.close()
                if processes.is_primary():
                    saving.add_score(self.workdir, step, value)
                session.exchange("late score", True)
                self.manager = opening.open_manager(self.workdir, train.keep_checkpoints)

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
        saving.finish(self.manager)
        self.growing.sync()
        tell_kept(self.workdir, step)


def tell_kept(workdir: pathlib.Path, step: int | None = None) -> None:
    """Says what a run that stops has saved: a step, or else its last checkpoint."""
    step = layout.latest_step(workdir) if step is None else step
    kept = "Nothing is trained" if step is None else f"Saved step {step}"
    _logger.info("%s in %s; the same command goes on from here.", kept, workdir)


def _is_due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0
