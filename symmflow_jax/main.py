"""The command line: `python -m symmflow_jax.main --config=configs/shapes.py`."""

import dataclasses
import logging
import os
import pathlib
import re
import sys
from collections.abc import Callable

from absl import app, flags, logging as absl_logging
from ml_collections import config_flags

from symmflow_jax import compilation, config as config_lib
from symmflow_jax.checkpoints import CheckpointError
from symmflow_jax.config import Config

_logger = logging.getLogger("symmflow_jax.main")

_CONFIG = config_flags.DEFINE_config_file("config", None, "The config file of the run.")
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run; runs/<config name> by default.")
_MODE = flags.DEFINE_enum(
    "mode",
    "train",
    ["train", "evaluate", "generate", "segment", "classify"],
    "What to do. All but train use the weights in the workdir.",
)
_INPUT = flags.DEFINE_string(
    "input", "", "Image or mask file, a folder of them, or (generate) labels: 3,7 or cat,dog."
)
_OUTPUT = flags.DEFINE_string("output", None, "Where to write; <workdir>/<mode> by default.")
_SEED = flags.DEFINE_integer("seed", 0, "Origin of the noise of generate, segment, classify.")
_NUM_STEPS = flags.DEFINE_integer("num_steps", None, "Euler steps: 25 to generate, 1 otherwise.")
_NUM_SAMPLES = flags.DEFINE_integer("num_samples", 1, "Images of each condition (generate).")
_NUM_DRAWS = flags.DEFINE_integer("num_draws", 1, "Noises for each image that vote.")


def main(argv: list[str]) -> None:
    """Reads the config and does what `--mode` says; bad input ends in one line."""
    if len(argv) > 1:
        raise app.UsageError(f"Unknown argument {argv[1]!r}.")
    if _CONFIG.value is None:
        raise app.UsageError("Give --config, for instance --config=configs/shapes.py.")
    # The libraries' own progress drowns that of the run.
    absl_logging.set_verbosity(absl_logging.ERROR)
    # Without a stack: these messages name the value and the remedy.
    try:
        config = config_lib.from_config_dict(_CONFIG.value)
        _modes()[_MODE.value](config, _workdir())
    except (ValueError, ArithmeticError, CheckpointError) as error:
        _logger.debug("The error in full:", exc_info=True)
        sys.exit(f"Error: {error}")


def run() -> None:
    """Parses the flags and runs `main`."""
    _log_progress()
    compilation.choose_fast_cpu_kernels()
    compilation.keep_compiled_programs()
    mistake = _explain_config_flags(sys.argv[1:])
    if mistake:
        sys.exit(f"Error: {mistake}")
    app.run(main)


def _log_progress() -> None:
    """Shows this project's progress in lines of time and message."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # It announces itself otherwise.
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%H:%M:%S"))
    project = logging.getLogger("symmflow_jax")
    project.addHandler(handler)
    project.setLevel(logging.INFO)
    project.propagate = False


def _workdir() -> pathlib.Path:
    if _WORKDIR.value:
        return pathlib.Path(_WORKDIR.value)
    config_file = config_flags.get_config_filename(flags.FLAGS["config"])
    return pathlib.Path("runs") / pathlib.Path(config_file).stem


def _modes() -> dict[str, Callable[[Config, pathlib.Path], None]]:
    return {
        "train": _train,
        "evaluate": _evaluate,
        "generate": _generate,
        "segment": _segment,
        "classify": _classify,
    }


def _train(config: Config, workdir: pathlib.Path) -> None:
    # TensorBoard's writer takes seconds to import, which only training needs.
    from symmflow_jax.train import train_and_evaluate

    train_and_evaluate(config, workdir)


def _evaluate(config: Config, workdir: pathlib.Path) -> None:
    """Data and measurements as the command says; network and encoding as they were trained."""
    from symmflow_jax.evaluate import evaluator_of
    from symmflow_jax.report import report_evaluation

    model = _load(config, workdir)
    trained = dataclasses.replace(
        model.config, seed=config.seed, data=config.data, eval=config.eval
    )
    report_evaluation(evaluator_of(trained, model.schema), model.params, model.step, workdir)


def _generate(config: Config, workdir: pathlib.Path) -> None:
    from symmflow_jax import inference

    inference.generate_files(
        _load(config, workdir),
        _INPUT.value,
        _output(workdir),
        seed=_SEED.value,
        num_steps=_NUM_STEPS.value or 25,
        num_samples=_NUM_SAMPLES.value,
    )


def _segment(config: Config, workdir: pathlib.Path) -> None:
    from symmflow_jax import inference

    inference.segment_files(
        _load(config, workdir),
        _INPUT.value,
        _output(workdir),
        seed=_SEED.value,
        num_steps=_NUM_STEPS.value or 1,
        num_draws=_NUM_DRAWS.value,
    )


def _classify(config: Config, workdir: pathlib.Path) -> None:
    from symmflow_jax import inference

    inference.classify_files(
        _load(config, workdir),
        _INPUT.value,
        _output(workdir),
        seed=_SEED.value,
        num_steps=_NUM_STEPS.value or 1,
        num_draws=_NUM_DRAWS.value,
    )


def _load(config: Config, workdir: pathlib.Path):
    from symmflow_jax.model import load

    return load(workdir, config.eval.checkpoint)


def _output(workdir: pathlib.Path) -> pathlib.Path:
    return pathlib.Path(_OUTPUT.value) if _OUTPUT.value else workdir / _MODE.value


def _explain_config_flags(arguments: list[str]) -> str | None:
    """The mistake in `--config.x.y` overrides, if any, before absl would show a stack."""
    keys = _flat_keys(config_lib.to_json(Config()))
    for argument in arguments:
        match = re.match(r"--config\.([\w.]+)", argument)
        if match and match[1] not in keys:
            return f"{match[0][2:]} is not a config key. {config_lib.nearest_key(match[1], keys)}"
    return None


def _flat_keys(values: dict, prefix: str = "") -> list[str]:
    keys: list[str] = []
    for key, value in values.items():
        keys += _flat_keys(value, f"{prefix}{key}.") if isinstance(value, dict) else [prefix + key]
    return keys


if __name__ == "__main__":
    run()
