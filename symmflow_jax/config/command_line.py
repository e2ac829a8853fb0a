"""Common parts of the commands: the config flag, progress lines and errors of one line."""

import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from absl import app, flags, logging as absl_logging

from symmflow_jax.config import conversion
from symmflow_jax.config.reading import cluster_flags, config_file, overrides, shipped
from symmflow_jax.runtime import paths
from symmflow_jax.runtime.cluster.departure import Stopped
from symmflow_jax.runtime.cluster.session import Session
from symmflow_jax.runtime.errors import CheckpointError, of_file_system, shown_value
from symmflow_jax.runtime.signals import Watch
from symmflow_jax.runtime.storage import faults, place
from symmflow_jax.runtime.storage.faults import StorageError

if TYPE_CHECKING:
    from symmflow_jax.config.build.experiment import Experiment

_logger = logging.getLogger(__name__)

LOCALE_ADVICE = "If the locale is the reason, set PYTHONUTF8=1, or LC_ALL=C.UTF-8."
"""Remedy for letters that a locale does not have."""

_MOST_LETTERS = 200

flags.adopt_module_key_flags(cluster_flags)

_CONFIG = flags.DEFINE_string(
    "config",
    None,
    "The config file of the run, such as configs/shapes.py, which comes with the package like all "
    f"that --config={shipped.LIST} prints. --config.train.batch_size=8 overrides a value of it; of "
    "several overrides of a key, the last one counts.",
)


def start(
    command: Callable[["Experiment"], None],
    watch: Watch | None = None,
    only_one: Callable[[], str] = lambda: "This command",
    leaves: Callable[[], bool] = lambda: False,
) -> None:
    """Parses the flags and runs a command on the experiment.

    Invalid input ends the process with an error of one line.

    Args:
        command: the command.
        watch: receives the signals for a command in several processes; None if there is none.
        only_one: after the flags are parsed, the name of a command that takes one process only;
            empty if it takes several.
        leaves: tells if the command may be ended by a signal in its stages.
    """
    prepare()

    def on_config() -> None:
        if not _CONFIG.value:
            raise ValueError(
                "Give --config, for instance --config=configs/shapes.py. "
                f"--config={shipped.LIST} prints all that come with symmflow_jax."
            )
        values = config_file.load(_CONFIG.value).to_dict()
        config = conversion.from_given(overrides.applied(values, _given()[1]))
        _check_paths(conversion.to_json(config))
        cluster_flags.check_same(conversion.to_json(config))
        # Imported here so that its slow imports do not delay --help.
        from symmflow_jax.config.build.experiment import Experiment
        from symmflow_jax.runtime import compilation

        compilation.choose_fast_cpu_kernels(config.train.batch_size)
        command(Experiment(config))

    def join() -> Session | None:
        if watch is None:
            return None
        session = cluster_flags.join(watch, only_one(), leaves())
        if session is not None:
            _log_as(session)
        return session

    run(on_config, has_config=True, join=join)


def run(
    command: Callable[[], None],
    *,
    has_config: bool = False,
    join: Callable[[], Session | None] = lambda: None,
) -> None:
    """Parses the flags and runs a command; `prepare` must run before.

    Invalid input ends the process with an error of one line.

    Args:
        command: the command.
        has_config: whether it uses `--config` and overrides of it.
        join: connects this process with the others of a run in several processes.
    """

    def main(argv: list[str]) -> None:
        # Hides progress messages of the libraries.
        absl_logging.set_verbosity(absl_logging.ERROR)
        session: Session | None = None
        try:
            if len(argv) > 1:
                raise ValueError(
                    f"Unknown argument {shown_value(argv[1])}; flags are written --name=value."
                )
            if not has_config and (_CONFIG.present or given_keys()):
                raise ValueError("This command takes no --config; leave it out.")
            if _CONFIG.value == shipped.LIST:
                sys.stdout.write(shipped.listing() + "\n")
                return
            _prepare_jax(has_config=has_config)
            session = join()
            command()
            if session is not None:
                session.complete()
        except BaseException as error:
            _end(error, session)

    app.run(main, sys.argv, flags_parser=_parse_flags)


def _end(error: BaseException, session: Session | None) -> NoReturn:
    """Ends the process after an error, and the other processes of the run with it."""
    text = _explained(error)
    if isinstance(error, Stopped):
        _logger.info("Stopped; the same command goes on from here.")
        error = SystemExit(128 + error.signal_number)
    if session is not None and session.num_processes > 1:
        if isinstance(error, SystemExit) and not text:
            session.end(error.code if isinstance(error.code, int) else 0)
        session.fail(error, text)
    if not text:
        raise error
    # Without a traceback, because these messages name the value and the remedy.
    _logger.debug("The error in full:", exc_info=error)
    sys.exit(text)


def _explained(error: BaseException) -> str:
    """The message of an error that names the value and the remedy; empty for a fault."""
    if isinstance(error, SystemExit) and isinstance(error.code, str):
        return error.code
    if isinstance(error, UnicodeEncodeError):
        text = ascii(error.object[:_MOST_LETTERS])
        return f"Error: {text} cannot be written in {error.encoding}. {LOCALE_ADVICE}"
    if isinstance(error, ValueError | ArithmeticError | CheckpointError | StorageError):
        return _in_one_line(error)
    if (fault := faults.found_in(error)) is not None and place.used():
        return f"Error: {faults.explain(fault, place.used()[-1])}"
    if isinstance(error, OSError):
        return f"Error: {of_file_system(error)}"
    return ""


def _log_as(session: Session) -> None:
    """Leaves the progress lines to process 0; warnings of others have their number."""
    if session.process_id:
        project = logging.getLogger("symmflow_jax")
        project.setLevel(logging.WARNING)
        for handler in project.handlers:
            handler.setFormatter(
                logging.Formatter(
                    f"%(asctime)s  process {session.process_id}: %(message)s", "%H:%M:%S"
                )
            )


def given_keys() -> list[str]:
    """The keys of the config that the command line overrides, such as "train.batch_size"."""
    return list(_given()[1])


def path_flag(flag: flags.FlagHolder[str | None]) -> str | None:
    """The value of a flag that holds a path, with `~` and `$VARIABLES` expanded.

    Raises:
        ValueError: if a variable is not set; see `paths.expand`.
    """
    return paths.expand(flag.value, f"--{flag.name}") if flag.value else flag.value


def _parse_flags(argv: Sequence[str]) -> list[str]:
    """Parses a command line; a mistake ends the process with an error of one line.

    absl alone would add a hint of two lines, or the whole help.
    """
    try:
        rest, _ = _given(argv)
        return flags.FLAGS([argv[0], *rest])
    except (flags.Error, ValueError) as error:
        sys.exit(_in_one_line(error))


def _given(argv: Sequence[str] | None = None) -> tuple[list[str], dict[str, Any]]:
    """The arguments that are no overrides, and the overrides, also of files of `--flagfile`."""
    arguments = list(sys.argv if argv is None else argv)[1:]
    return overrides.split(flags.FLAGS.read_flags_from_files(arguments, force_gnu=False))


def _in_one_line(error: BaseException) -> str:
    return "Error: " + " ".join(line.strip() for line in str(error).splitlines())


def _prepare_jax(*, has_config: bool) -> None:
    """Sets up compilation and garbage collection, before JAX starts its backend."""
    # Imported here so that the slow import of JAX delays no --help.
    from symmflow_jax.runtime import compilation

    if not has_config:
        compilation.choose_fast_cpu_kernels()
    compilation.keep_compiled_programs()
    compilation.collect_garbage_rarely()


def config_name() -> str:
    """The name of the config file without folder and suffix."""
    return config_file.stem(_CONFIG.value or "")


def config_text() -> str:
    """The value of `--config` as it was given."""
    return _CONFIG.value or ""


def prepare() -> None:
    """Shows log messages of this project as lines with the time, before a command."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # Of JAX's compiler.
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%H:%M:%S"))
    project = logging.getLogger("symmflow_jax")
    project.addHandler(handler)
    project.setLevel(logging.INFO)
    project.propagate = False
    # It shows its messages itself, such as that of a download which is resumed.
    logging.getLogger("huggingface_hub").propagate = False


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
                    f"{prefix}.{key}={shown_value(value)} has letters that file names cannot have "
                    f"here, where their encoding is {error.encoding}. {LOCALE_ADVICE}"
                ) from None
