"""Common parts of the commands: the config flag, progress lines and errors of one line."""

import logging
import os
import pathlib
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from absl import app, flags, logging as absl_logging
from ml_collections import config_flags

from symmflow_jax.config import conversion, old_names
from symmflow_jax.config.values import Config
from symmflow_jax.runtime import compilation
from symmflow_jax.runtime.errors import CheckpointError, nearest

if TYPE_CHECKING:
    from symmflow_jax.config.build.experiment import Experiment

_logger = logging.getLogger(__name__)

LOCALE_ADVICE = "If the locale is the reason, set PYTHONUTF8=1, or LC_ALL=C.UTF-8."
"""Remedy for letters that a locale does not have."""

_MOST_LETTERS = 200

_CONFIG = config_flags.DEFINE_config_file("config", None, "The config file of the run.")


def start(command: Callable[["Experiment"], None]) -> None:
    """Parses the flags and runs a command on the experiment.

    Invalid input ends the process with an error of one line.
    """
    prepare()
    try:
        sys.argv[1:] = with_letters(sys.argv[1:])
    except ValueError as error:
        sys.exit(f"Error: {error}")
    mistake = explain_config_flags(sys.argv[1:])
    if mistake:
        sys.exit(f"Error: {mistake}")

    def on_config() -> None:
        if _CONFIG.value is None:
            raise app.UsageError("Give --config, for instance --config=configs/shapes.py.")
        config = conversion.from_config_dict(_CONFIG.value)
        _check_paths(conversion.to_json(config))
        # Imported here so that its slow imports do not delay --help.
        from symmflow_jax.config.build.experiment import Experiment

        command(Experiment(config))

    run(on_config)


def run(command: Callable[[], None]) -> None:
    """Parses the flags and runs a command; `prepare` must run before.

    Invalid input ends the process with an error of one line.
    """

    def main(argv: list[str]) -> None:
        if len(argv) > 1:
            raise app.UsageError(f"Unknown argument {argv[1]!r}.")
        # Hides progress messages of the libraries.
        absl_logging.set_verbosity(absl_logging.ERROR)
        # Without a traceback, because these messages name the value and the remedy.
        try:
            command()
        except UnicodeEncodeError as error:
            _logger.debug("The error in full:", exc_info=True)
            text = ascii(error.object[:_MOST_LETTERS])
            sys.exit(f"Error: {text} cannot be written in {error.encoding}. {LOCALE_ADVICE}")
        except (ValueError, ArithmeticError, CheckpointError) as error:
            _logger.debug("The error in full:", exc_info=True)
            sys.exit(f"Error: {error}")

    app.run(main)


def prepare() -> None:
    """Sets up progress lines, compilation and garbage collection before a command."""
    _log_progress()
    compilation.choose_fast_cpu_kernels()
    compilation.keep_compiled_programs()
    compilation.collect_garbage_rarely()


def config_name() -> str:
    """The name of the config file without folder and suffix."""
    return pathlib.Path(config_flags.get_config_filename(flags.FLAGS["config"])).stem


def explain_config_flags(arguments: list[str]) -> str | None:
    """An error message for unknown keys in `--config.x.y` overrides, or None.

    Without it, absl shows a traceback.
    """
    keys = _flat_keys(conversion.to_json(Config()))
    for key in given_keys(arguments):
        if key not in keys:
            advice = old_names.advice(key) or nearest(key, keys, "keys")
            return f"config.{key} is not a config key. {advice}"
    return None


def given_keys(arguments: list[str]) -> list[str]:
    """The keys of the config that a command line overrides, such as "train.batch_size"."""
    matches = (re.match(r"--config\.([\w.]+)", argument) for argument in arguments)
    return [match[1] for match in matches if match]


def with_letters(arguments: list[str]) -> list[str]:
    """A command line whose lists, such as names of classes, have their letters.

    In a locale without UTF-8, Python has bytes in the place of letters. Paths keep these.

    Raises:
        ValueError: if a list is no text in UTF-8.
    """
    found: list[str] = []
    key = ""
    for argument in arguments:
        match = re.match(r"--config\.([\w.]+)(=?)", argument)
        key = match[1] if match else key
        if _is_list(key):
            try:
                argument = argument.encode("utf-8", "surrogateescape").decode("utf-8")
            except UnicodeError:
                raise ValueError(
                    f"config.{key} is given as {ascii(argument)}, which is no text in UTF-8; write "
                    "the command in UTF-8, or the value into the config file."
                ) from None
        # The value may be an argument of its own.
        key = key if match and not match[2] else ""
        found.append(argument)
    return found


def unused_keys(arguments: list[str], used: tuple[str, ...]) -> list[str]:
    """The overridden keys that a command does not use.

    Args:
        arguments: the command line.
        used: sections and keys that the command uses.
    """
    return [
        key
        for key in given_keys(arguments)
        if not any(key == name or key.startswith(f"{name}.") for name in used)
    ]


def _log_progress() -> None:
    """Shows log messages of this project as lines with the time."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # Avoids a log message.
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%H:%M:%S"))
    project = logging.getLogger("symmflow_jax")
    project.addHandler(handler)
    project.setLevel(logging.INFO)
    project.propagate = False


def _check_paths(values: dict[str, Any], prefix: str = "config") -> None:
    """Raises a ValueError for a text, such as a path, that no file can have as its name."""
    for key, value in values.items():
        if isinstance(value, dict):
            _check_paths(value, f"{prefix}.{key}")
        elif isinstance(value, str):
            try:
                os.fsencode(value)
            except UnicodeEncodeError as error:
                raise ValueError(
                    f"{prefix}.{key}={value!r} has letters that file names cannot have here, where "
                    f"their encoding is {error.encoding}. {LOCALE_ADVICE}"
                ) from None


def _is_list(key: str) -> bool:
    """True for a key of the config, such as "eval.solvers", whose value is a tuple."""
    value: Any = conversion.to_json(Config())
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return isinstance(value, tuple)


def _flat_keys(values: dict, prefix: str = "") -> list[str]:
    keys: list[str] = []
    for key, value in values.items():
        keys += _flat_keys(value, f"{prefix}{key}.") if isinstance(value, dict) else [prefix + key]
    return keys
