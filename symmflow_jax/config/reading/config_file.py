"""Config files: Python files with a function `get_config`.

A config that builds on another one finds it beside its own file, whatever the current folder is:

    from symmflow_jax.config.reading.config_file import beside

    mnist = beside(__file__, "mnist.py")
"""

import inspect
import logging
import pathlib
import re
import sys
import traceback
import types
from typing import Any

from ml_collections import config_dict

from symmflow_jax.config.reading import shipped
from symmflow_jax.runtime import paths
from symmflow_jax.runtime.errors import first_line, nearest

_logger = logging.getLogger(__name__)

_NAME = "get_config"
_MARK = "__is_config_file__"


class ConfigFileError(ValueError):
    """A config file cannot be found or read, or raises an error."""


def load(given: str) -> config_dict.ConfigDict:
    """The values that a config file gives.

    Args:
        given: path of the file; text after a colon is passed to its `get_config`. A path that is
            no file may name one that comes with the package; see `shipped.find`.

    Raises:
        ConfigFileError: with the file, the line, the error and the remedy.
    """
    try:
        path, arguments = _split(given)
        if not path.is_file() and (found := shipped.find(path)):
            _logger.info("Config: %s, which comes with symmflow_jax.", found)
            path = found
        _check_is_file(path)
    except OSError as error:  # A name that is too long, or a folder that cannot be looked into.
        raise ConfigFileError(f"The config {given} cannot be read: {error.strerror}.") from error
    try:
        namespace = _execute(path)
        if not callable(getattr(namespace, _NAME, None)):
            raise ConfigFileError(
                f"{path} has no function {_NAME}(); define one that returns the config, as "
                "configs/shapes.py does."
            )
        _check_arguments(namespace.get_config, path, arguments)
        config = namespace.get_config(*arguments)
    except ConfigFileError:
        raise
    # A config file may raise anything, and may even leave by sys.exit.
    except (Exception, SystemExit) as error:
        raise ConfigFileError(_told(error, path)) from error
    if not isinstance(config, config_dict.ConfigDict):
        what = "None" if config is None else f"a {type(config).__name__}"
        raise ConfigFileError(
            f"{_NAME}() of {path} returns {what}; it must return a ConfigDict, such as that of "
            "symmflow_jax.config.conversion.default()."
        )
    return config


def stem(given: str) -> str:
    """The name of a config file without folder, suffix and argument."""
    return _split(given)[0].stem


def beside(file: str, name: str) -> types.ModuleType:
    """The module of another config file in the folder of a config file.

    Args:
        file: `__file__` of the config file that asks.
        name: name of the other file, such as "mnist.py".
    """
    return _execute(pathlib.Path(file).parent / name)


def _execute(path: pathlib.Path) -> Any:
    """Runs a config file; leaves no compiled file behind, which could outlive a change."""
    _check_is_file(path)
    # No name that another module could have; dataclasses look their module up by name.
    module = types.ModuleType(f"config file {path.absolute()}")
    sys.modules[module.__name__] = module
    module.__file__ = str(path)
    module.__dict__[_MARK] = True
    code = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    exec(code, module.__dict__)
    return module


def _split(given: str) -> tuple[pathlib.Path, tuple[str, ...]]:
    """The path of a config file, and the argument after a colon if there is one."""
    text = paths.expand(given, "--config")
    if ":" not in text or pathlib.Path(text).exists():
        return pathlib.Path(text), ()
    file, argument = text.split(":", 1)
    return pathlib.Path(file), (argument,)


def _check_is_file(path: pathlib.Path) -> None:
    if path.is_file():
        return
    if path.is_dir():
        files = sorted(other.name for other in path.glob("*.py"))
        inside = f"one of its files: {', '.join(files)}" if files else "a Python file"
        raise ConfigFileError(f"The config {path} is a folder; give {inside}.")
    if path.exists():
        raise ConfigFileError(f"The config {path} is not a regular file; give a Python file.")
    folder = path.parent
    if not folder.is_dir():
        advice = f"The current folder is {pathlib.Path.cwd()}, and it has no {folder}."
    else:
        files = sorted(other.name for other in folder.glob("*.py"))
        advice = nearest(path.name, files, f"Python files in {folder.absolute()}")
        advice = advice if files else f"There is no Python file in {folder.absolute()}."
    raise ConfigFileError(f"The config {path} does not exist. {advice} {shipped.near(path.stem)}")


def _check_arguments(function: Any, path: pathlib.Path, arguments: tuple[str, ...]) -> None:
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError as error:
        advice = (
            f"leave out {':' + arguments[0]!r}"
            if arguments
            else f"give it after a colon, as in --config={path}:ARGUMENT"
        )
        raise ConfigFileError(f"{_NAME}() of {path}: {error}; {advice}.") from error


def _told(error: BaseException, path: pathlib.Path) -> str:
    """File, line, error and remedy in one line."""
    # The last place in a config file, not in a library that it calls.
    places = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if _MARK in frame.f_globals
    ]
    file, line = places[-1] if places else (str(path), None)
    if isinstance(error, SyntaxError) and error.filename:
        file, line = error.filename, error.lineno
    where = file if line is None else f"{file}, line {line}"
    return f"{where}: {type(error).__name__}: {_message(error)}. {_advice(error)}"


def _message(error: BaseException) -> str:
    """The message of an error without the dump of all keys that a locked ConfigDict adds."""
    if isinstance(error, SyntaxError):
        shown = f": {error.text.strip()!r}" if error.text else ""
        return f"{error.msg}{shown}"
    text = str(error).replace("\\n", "\n")
    head = first_line(error).replace("\\n", "\n").splitlines()[0].split(" Other fields present:")[0]
    suggestion = re.search(r"Did you mean [^\n?]*\?", text)
    head = head.rstrip(" .")
    if head[0] in "'\"" and head.count(head[0]) % 2:  # A quote whose end is cut off.
        head = head[1:]
    return f"{head}. {suggestion[0]}".rstrip("?") + "?" if suggestion else head


def _advice(error: BaseException) -> str:
    if isinstance(error, ImportError) and (error.name or "").split(".")[0] == "configs":
        return (
            "Config files find the defaults by `from symmflow_jax.config import conversion`, and "
            "a file beside them by `beside(__file__, 'NAME.py')` of "
            "symmflow_jax.config.reading.config_file."
        )
    return "Correct the config file."
