"""Training and evaluation as Python functions: `symmflow_jax.train` and `symmflow_jax.evaluate`."""

import contextlib
import gc
import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from symmflow_jax.commands.flags.usage import name_unused_keys
from symmflow_jax.commands.mode import RUN
from symmflow_jax.config.build.data import trained
from symmflow_jax.config.reading import given, overrides as reading
from symmflow_jax.evaluation.evaluator import EvaluatedWeights, evaluator_of
from symmflow_jax.evaluation.measurement import Measurement
from symmflow_jax.evaluation.report import summary
from symmflow_jax.evaluation.report.place import check_place
from symmflow_jax.evaluation.report.report import report_evaluation
from symmflow_jax.inference.loading import load
from symmflow_jax.inference.model import Model
from symmflow_jax.runs.resumption import Resume
from symmflow_jax.runtime import compilation, log_lines, paths, tracebacks
from symmflow_jax.runtime.errors import nearest, shown_value
from symmflow_jax.runtime.signals import Interrupted
from symmflow_jax.runtime.storage import place

_MEASURED = ("seed", "data", "eval", "guidance")
"""The keys of an evaluation; the others are those of the training."""


class Measurements(list[Measurement]):
    """The measurements of an evaluation; shown as the table of the most important ones."""

    def __repr__(self) -> str:
        return summary.as_table(self)


@tracebacks.short
def train(
    config: Any,
    overrides: Mapping[str, Any] | None = None,
    *,
    workdir: str | os.PathLike | None = None,
    resume: str = "same",
    **sections: Any,
) -> Model:
    """Trains a network, or goes on where its run stopped, evaluates it, and gives its model.

    It is what `python -m symmflow_jax.main --config=...` does, in this process and on its devices.
    An interruption (the stop button of a notebook) saves first; the same call then goes on.

        model = symmflow_jax.train("shapes", {"train.num_epochs": 0.5}, workdir="runs/shapes")
        model = symmflow_jax.train(
            "paired_folder",
            data={"dir": "photos", "class_names": ("sky", "road"), "image_size": (96, 128)},
        )

    Args:
        config: a config file, or the name of one that comes with the package (`python -m
            symmflow_jax.main --config=list` prints them); a `ConfigDict`; or a dictionary of the
            values that differ from the defaults.
        overrides: other values by dotted key, such as `{"train.batch_size": 8}`.
        workdir: folder of the run, also in a bucket; `runs/<name of the config>` by default.
        resume: what to do with checkpoints in the folder: "same" goes on from them if the data is
            the same, "changed_data" also with other data, "never" refuses.
        **sections: values like `overrides`, as dictionaries of sections or as top-level keys:
            `train={"num_epochs": 1}`, `seed=3`.

    Returns:
        the model of the last step.

    Raises:
        DataError: if data is missing or cannot be read.
        ValueError: if the config, a key, a value or the folder is not valid, or does not fit.
        NonFiniteLoss: if the loss is no longer a number.
        CheckpointError: if a checkpoint cannot be written or read.
        KeyboardInterrupt: after an interruption, once everything is saved.
    """
    # The import of TensorBoard's writer takes seconds, and only training needs it.
    from symmflow_jax.train import train_and_evaluate

    values = given.flat_overrides(overrides, sections)
    experiment = given.experiment_of(config, values)
    folder = _workdir(workdir, given.name_of(config))
    how = _resume(resume)
    with log_lines.shown(), _prepared(experiment.train.batch_size):
        name_unused_keys(reading.unused(values, RUN) + experiment.unused_keys(list(values)))
        try:
            train_and_evaluate(experiment, folder, how)
        except Interrupted:
            raise KeyboardInterrupt(
                f"Saved in {folder}; the same call goes on from there."
            ) from None
        return load(folder)


@tracebacks.short
def evaluate(
    run: str | os.PathLike | Model,
    overrides: Mapping[str, Any] | None = None,
    *,
    checkpoint: str = "latest",
    output: str | os.PathLike | None = None,
    overwrite: bool = False,
    **sections: Any,
) -> Measurements:
    """Measures the weights of a run, and writes its report.

    It is what `--mode=evaluate` does. Values that are not given are those of the run.

        scores = symmflow_jax.evaluate("runs/shapes", {"eval.num_examples": 100})

    Args:
        run: folder of the run, or its model.
        overrides: other values of the sections data, eval and guidance, or the seed, by dotted
            key, such as `{"eval.num_steps": (1, 5)}`; but not of the size, fit, channels and
            levels of images, which are the model's.
        checkpoint: "latest" or "best"; the model's own if one is given.
        output: folder of the report; that of the run by default.
        overwrite: whether to replace a report that is of other data, or in another folder.
        **sections: values like `overrides`, as dictionaries of sections: `eval={"num_steps": 5}`.

    Returns:
        the measurements with their protocols, a list that shows the most important ones.

    Raises:
        DataError: if the data is missing or cannot be read.
        ValueError: if a key or value is not valid, or belongs to the training.
        OutputError: if a report would be replaced, or cannot be written.
        CheckpointError: if there is no checkpoint, or it cannot be read.
    """
    values = given.flat_overrides(overrides, sections)
    _refuse(reading.unused(values, _MEASURED))
    model = run if isinstance(run, Model) else load(run, checkpoint)
    if not model.name:
        raise ValueError("The model was not loaded from a folder; give the folder of its run.")
    workdir = place.as_path(model.name)
    folder = workdir if output is None else _place(output, "output")
    changed = given.changed(model.experiment, values)
    _refuse([f"data.{key}" for key in trained.differing(model.experiment.data, changed.data)])
    measured = model.experiment.measured_as(changed)
    check_place(folder, workdir, measured, overwrite=overwrite)
    with log_lines.shown(), _prepared(measured.eval.batch_size):
        name_unused_keys(measured.unused_keys(list(values)))
        evaluator = evaluator_of(measured, folder)
        evaluated = EvaluatedWeights.of(model)
        return Measurements(report_evaluation(evaluator, evaluated, workdir, folder))


def _refuse(keys: Sequence[str]) -> None:
    """Raises a ValueError for the first key that is of the training."""
    if keys:
        raise ValueError(
            f"config.{keys[0]} is of the training, and the run has its own; an evaluation takes "
            f"{', '.join(_MEASURED)}, but not the size, fit, channels and levels of images."
        )


def _workdir(workdir: str | os.PathLike | None, name: str) -> pathlib.Path:
    if workdir is None and not name:
        raise ValueError('Give workdir, the folder of the run, such as workdir="runs/first".')
    return _place(pathlib.Path("runs") / name if workdir is None else workdir, "workdir")


def _place(path: str | os.PathLike, name: str) -> pathlib.Path:
    return place.place(paths.expand(os.fspath(path), name), name)


def _resume(text: str) -> Resume:
    names = [choice.value for choice in Resume]
    if text not in names:
        raise ValueError(f"resume is {shown_value(text)}. {nearest(str(text), names, 'choices')}")
    return Resume(text)


@contextlib.contextmanager
def _prepared(batch_size: int) -> Iterator[None]:
    """Compiles as commands do, and leaves garbage collection as it was."""
    compilation.choose_fast_cpu_kernels(batch_size)
    compilation.keep_compiled_programs()
    threshold = gc.get_threshold()
    compilation.collect_garbage_rarely()
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
