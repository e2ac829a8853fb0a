"""Training: `train_and_evaluate` runs a config from the first step or from its checkpoint."""

import dataclasses
import functools
import logging
import pathlib
from typing import Any

import grain
import jax
import numpy as np
import orbax.checkpoint as ocp
from clu import metric_writers, parameter_overview

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.evaluation.evaluator import EvaluatedWeights, Evaluator, evaluator_of
from symmflow_jax.evaluation.measurement import Measurement, score
from symmflow_jax.evaluation.report import summary
from symmflow_jax.evaluation.report.report import report_evaluation, scalars, write_grid
from symmflow_jax.evaluation.sweep import measure_quickly
from symmflow_jax.flow import keys
from symmflow_jax.flow.keys import Stream
from symmflow_jax.methods.symmflow import Params, Weights
from symmflow_jax.runs import checkpoints, folder
from symmflow_jax.runs.identity import check_same_model, describe
from symmflow_jax.runtime import processes
from symmflow_jax.runtime.progress import Progress
from symmflow_jax.runtime.signals import Interrupted, InterruptionRequest
from symmflow_jax.training.parallel.parallelism import Parallelism
from symmflow_jax.training.state import TrainState, create_train_state

_logger = logging.getLogger(__name__)


class NonFiniteLoss(ArithmeticError):
    """The loss or the gradient became NaN or infinite."""


def train_and_evaluate(experiment: Experiment, workdir: pathlib.Path) -> list[Measurement]:
    """Trains to the end of an experiment, then evaluates; resumes from the last checkpoint.

    All files are written to `workdir`: checkpoints, TensorBoard events, grids of images, plots,
    `config.json`, `versions.json`, `history.jsonl`, `metrics.json`, `report.md`, the weights of
    the autoencoder if there is one, and `skipped.jsonl` if unreadable examples were skipped.

    Args:
        experiment: the run.
        workdir: its folder.

    Returns:
        the measurements of the final evaluation.

    Raises:
        DataError: if data is missing or cannot be read.
        ValueError: if the config does not fit the devices, the data, or the checkpoint, or if
            another training writes to the folder.
        NonFiniteLoss: if the loss is no longer a number.
        CheckpointError: if a checkpoint cannot be written or read.
        Interrupted: after SIGTERM or Ctrl-C, once everything is saved.
    """
    with folder.claim(workdir):
        run = Run.begin(experiment, workdir)
        state, step = run.restore_or_create()
        with InterruptionRequest() as request:
            state = run.train(state, step, request)
        return run.finish(state)


@dataclasses.dataclass
class Run:
    """The parts of one training, made from its experiment by `begin`.

    Attributes:
        experiment: data, method and optimizer.
        workdir: folder of the run.
        codec_weights: weights of the codec's network, on the host, or None.
        evaluator: the method and the evaluation split.
        parallelism: distribution of the training over the devices.
        iterator: iterator over the training batches.
        manager: manager of the checkpoints.
        writer: writer of TensorBoard events.
    """

    experiment: Experiment
    workdir: pathlib.Path
    codec_weights: Any
    evaluator: Evaluator
    parallelism: Parallelism
    iterator: grain.DatasetIterator
    manager: ocp.CheckpointManager
    writer: metric_writers.MetricWriter

    @classmethod
    def begin(cls, experiment: Experiment, workdir: pathlib.Path) -> "Run":
        """Opens data, checkpoints and logs; checks the batch size and the codec's weights."""
        train = experiment.train
        processes.check_batch_size(
            train.batch_size, jax.device_count() * train.num_microbatches, "config.train.batch_size"
        )
        codec_weights = experiment.codec_weights(workdir)
        experiment.check_latents(codec_weights)
        if processes.is_primary():
            folder.write_description(workdir, experiment.to_json())
        return cls(
            experiment=experiment,
            workdir=workdir,
            codec_weights=codec_weights,
            evaluator=evaluator_of(experiment, workdir),
            parallelism=experiment.parallelism(),
            iterator=experiment.training_batches(workdir / folder.SKIPPED),
            manager=checkpoints.open_manager(workdir, train.keep_checkpoints),
            writer=_writer(workdir),
        )

    def restore_or_create(self) -> tuple[TrainState, int]:
        """The state to continue from, on the devices, and its step; also restores the iterator."""
        key = keys.of_seed(self.experiment.seed, Stream.INIT)
        create = functools.partial(
            create_train_state, self.experiment.method, self.experiment.optimizer
        )
        shapes = jax.eval_shape(create, key)
        if self.manager.latest_step() is None:
            state = self.parallelism.create(create, key)
            overview = parameter_overview.get_parameter_overview(shapes.params, include_stats=False)
            _logger.info("Parameters:\n%s", overview)
            return state, 0
        saved = checkpoints.restore_description(self.manager, self.manager.latest_step())
        check_same_model(saved, describe(self.experiment), self.workdir)
        targets = self.parallelism.targets(shapes)
        state = checkpoints.restore_training(self.manager, targets, self.iterator)
        _logger.info("Resumed %s at step %d.", self.workdir, int(state.step))
        return self.parallelism.place(state), int(state.step)

    def _place_codec(self) -> Any:
        """Places the codec's weights on the devices and copies them to the run's folder.

        The copy is made after the check that the checkpoint has the same model.
        """
        self.experiment.keep_codec_weights(self.workdir, self.codec_weights)
        return self.parallelism.place(self.codec_weights)

    def train(self, state: TrainState, step: int, request: InterruptionRequest) -> TrainState:
        """Trains from `step` to the last step, with logs, evaluations and checkpoints.

        Between these, nothing is fetched from the devices.

        Raises:
            NonFiniteLoss: if the loss or the gradient is not finite.
            Interrupted: after a signal, once a checkpoint is saved.
        """
        train, num_steps = self.experiment.train, self.experiment.num_steps
        train_step = self.experiment.train_step(self.experiment.optimizer, self.parallelism)
        codec_weights = self._place_codec()
        key = keys.of_seed(self.experiment.seed, Stream.TRAINING)
        history = folder.History(self.workdir, step)
        progress = Progress(num_steps, train.batch_size, step)
        pending: list[dict[str, jax.Array]] = []
        while step < num_steps:
            batch = self.parallelism.place_batch(next(self.iterator))
            state, metrics = train_step(state, codec_weights, batch, key)
            pending.append(metrics)
            step += 1
            leaving = request.signal_number is not None or self.manager.reached_preemption(step)
            is_last = step == num_steps
            evaluates = _is_due(step, train.eval_every_steps) and not leaving and not is_last
            saves = evaluates or is_last or leaving or _is_due(step, train.checkpoint_every_steps)
            if saves or _is_due(step, train.log_every_steps):
                means = self._read(pending, step)
                pending = []
                line = progress.advance(step)
                self._log(step, means, line, history)
            if evaluates or saves:
                progress.pause()
                self._save(state, step, evaluates)
                progress.resume()
            if leaving:
                self._leave(step, request)
        return state

    def finish(self, state: TrainState) -> list[Measurement]:
        """Runs the final evaluation and writes its report; returns the measurements."""
        checkpoints.finish(self.manager)
        ema_params = self.parallelism.fetch(state.ema_params)
        evaluated = self._evaluated(ema_params, self.experiment.num_steps)
        table = report_evaluation(self.evaluator, evaluated, self.workdir)
        self.writer.write_scalars(self.experiment.num_steps, scalars(table))
        self.writer.close()
        self.manager.close()
        return table

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
        iterator = self.experiment.training_batches()
        grain.experimental.set_next_index(iterator, step)
        path = self.workdir / f"non_finite_step_{step}.npz"
        np.savez_compressed(path, step=step, **next(iterator).to_arrays())
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
        _logger.info("%s  loss %.4f", line, means["loss"])
        self.writer.write_scalars(step, {f"train/{k}": v for k, v in means.items()})
        if processes.is_primary():
            history.append(step, means)

    def _save(self, state: TrainState, step: int, evaluates: bool) -> None:
        """Saves a checkpoint, after a quick evaluation if one is due."""
        fetched = self.parallelism.fetch(state)
        value = self._evaluate_quickly(fetched.ema_params, step) if evaluates else None
        checkpoints.save(self.manager, fetched, self.iterator, describe(self.experiment), value)

    def _evaluated(self, ema_params: Params, step: int) -> EvaluatedWeights:
        """Fetched parameters and the codec's weights, placed for evaluation."""
        codec_weights = processes.put_replicated(self.codec_weights, processes.local_mesh())
        params = self.parallelism.for_inference(ema_params)
        return EvaluatedWeights(Weights(params, codec_weights), step)

    def _evaluate_quickly(self, ema_params: Params, step: int) -> float:
        evaluated = self._evaluated(ema_params, step)
        table = measure_quickly(self.evaluator, evaluated)
        path = self.workdir / f"pictures/step_{step:07d}.png"
        grid = write_grid(self.evaluator, evaluated, path)
        self.writer.write_images(step, {"examples": grid[None]})
        self.writer.write_scalars(step, scalars(table))
        _logger.info("step %d  %s", step, summary.in_one_line(table))
        return score(table)

    def _leave(self, step: int, request: InterruptionRequest) -> None:
        checkpoints.finish(self.manager)
        self.writer.close()
        _logger.info("Saved step %d in %s; the same command goes on from here.", step, self.workdir)
        raise Interrupted(request.signal_number or 15)


def _writer(workdir: pathlib.Path) -> metric_writers.MetricWriter:
    """An asynchronous TensorBoard writer; in all processes but the first, one that does nothing."""
    if not processes.is_primary():
        return metric_writers.MultiWriter([])
    return metric_writers.AsyncWriter(metric_writers.SummaryWriter(str(workdir)))


def _is_due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0
