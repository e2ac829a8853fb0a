"""The command line: `python -m symmflow_jax.main --config=configs/shapes.py`."""

import pathlib
from typing import TYPE_CHECKING

from symmflow_jax.runtime import signals

# Before the imports that take seconds, so that a signal is told to the other processes of a run.
_WATCH = signals.Watch() if __name__ == "__main__" else None

# ruff: noqa: E402
from absl import flags

from symmflow_jax.commands import (
    datasets,
    editing,
    evaluation,
    generation,
    performance,
    recognition,
    studio,
    training,
    tuning,
    weights,
)
from symmflow_jax.commands.flags import integration, paths, usage, views
from symmflow_jax.commands.mode import Mode
from symmflow_jax.config import command_line
from symmflow_jax.config.reading import overrides
from symmflow_jax.runtime.storage import place

if TYPE_CHECKING:
    from symmflow_jax.config.build.experiment import Experiment

flags.adopt_module_key_flags(command_line)  # --help shows --config too.

_FLAGS = (
    paths,
    integration,
    training,
    generation,
    recognition,
    editing,
    views,
    datasets,
    weights,
    tuning,
    performance,
    studio,
)
for _module in _FLAGS:
    flags.adopt_module_key_flags(_module)

MODES: dict[str, Mode] = {
    "train": training.TRAIN,
    "evaluate": evaluation.EVALUATE,
    "generate": generation.GENERATE,
    "segment": recognition.SEGMENT,
    "classify": recognition.CLASSIFY,
    "sample": generation.SAMPLE,
    "edit": editing.EDIT,
    "check_data": datasets.CHECK_DATA,
    "encode": datasets.ENCODE,
    "pack": datasets.PACK,
    "finetune_vae": tuning.FINETUNE_VAE,
    "import": weights.IMPORT,
    "export": weights.EXPORT,
    "train_classifier": tuning.TRAIN_CLASSIFIER,
    "plan": performance.PLAN,
    "benchmark": performance.BENCHMARK,
    "doctor": performance.DOCTOR,
    "studio": studio.STUDIO,
}
"""The values of `--mode`."""

_MODE = flags.DEFINE_enum(
    "mode",
    "train",
    list(MODES),
    "What to do: " + "; ".join(f"{name} {mode.summary}" for name, mode in MODES.items()) + ".",
)


def main(experiment: "Experiment") -> None:
    """Runs the mode that `--mode` names.

    Raises:
        ValueError: if a flag was given that the mode does not use, or if the name of the workdir is
            not UTF-8.
    """
    mode = MODES[_MODE.value]
    usage.refuse_flags_of_others("mode", _MODE.value, {name: m.flags for name, m in MODES.items()})
    given = command_line.given_keys()
    unused = overrides.unused(given, mode.keys) + experiment.unused_keys(given)
    usage.name_unused_keys(unused)
    default = pathlib.Path("runs") / command_line.config_name()
    workdir = place.place(command_line.path_flag(paths.WORKDIR) or str(default), "--workdir")
    _check_name(workdir)
    mode.run(experiment, workdir)


def _check_name(workdir: pathlib.Path) -> None:
    """Raises a ValueError for a name that the writers of checkpoints and events cannot take."""
    try:
        str(workdir).encode()
    except UnicodeEncodeError:
        raise ValueError(
            f"--workdir={ascii(str(workdir))} is no text in UTF-8, as checkpoints need; give "
            f"another --workdir. {command_line.LOCALE_ADVICE}"
        ) from None


if __name__ == "__main__":
    command_line.start(
        main,
        _WATCH,
        only_one=lambda: "" if MODES[_MODE.value].several else f"--mode={_MODE.value}",
        leaves=lambda: MODES[_MODE.value].leaves,
    )
