"""Configs: files and overrides, by the way of the command line."""

import ast
import contextlib
import dataclasses
import io
import math
import pathlib
import sys
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from absl import flags

from symmflow_jax.config import command_line, conversion
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.values import Config
from tests.campaigns import judgement
from tests.campaigns.experiments import TINY
from tests.campaigns.judgement import EXCUSED, FAILED, REFUSED, SAME, Outcome
from tests.campaigns.mutations import BYTES, FILES

_TEXTS = (
    "nan", "inf", "-inf", "1e999", "-1", "0", "1", "2", "7", "-0.5", "0.5", "1.0", "1.5", "3.5",
    "1e300", "1e-300", "1000000000000", "-1000000000000000000000", "True", "None", "null", "", " ",
    "abc", "'abc'", "(1,2", "()", "[]", "(0,)", "(-1,)", "(3,)", "(1, 2, 3)", "('a', 'b')",
    "(None,)", "(nan,)", "{}", "{'a': 1}", "1,2", "8 8", "a\nb", "lambda: 0", "__import__('os')",
    "((1,),)", "1_000", "0x10", "(2000000000, 2000000000)", "é", "cosine", "linear",
)  # fmt: skip

_VALUES = (
    "None", "float('nan')", "float('inf')", "-float('inf')", "-1", "0", "1", "10**30", "-10**30",
    "1e300", "0.5", "-0.5", "True", "'abc'", "''", "'3'", "[]", "()", "{}", "[1]", "(0,)", "(-1,)",
    "(1, 2, 3)", "((1,),)", "[None]", "object()", "lambda: 0", "b'abc'", "{1, 2}", "3 + 4j", "int",
    "np.float32(3)", "np.int64(3)", "np.array([1, 2])", "np.nan", "pathlib.Path('a')", "range(3)",
    "'a\\nb'", "'\\ud800'", "'x' * 10000", "config", "config.train", "[[[[]]]]", "10**5000",
    "'\\udcff'", "('a', 'a')", "('void', 'void')",
)  # fmt: skip

_FILES = (
    "", "def get_config(", "import nowhere_to_be_found\n", "raise ValueError('no')\n", "1 / 0\n",
    "def get_config():\n    return None\n", "def get_config():\n    return {}\n",
    "def get_config():\n    return {'train': 3}\n", "def get_config(argument):\n    return 1\n",
    "def get_config():\n    return get_config()\n", "get_config = 3\n", "import sys\nsys.exit(3)\n",
    "def get_config():\n    raise RuntimeError('a\\nb')\n", "def get_config():\n\tx\n        y\n",
    "def get_config():\n    import sys\n    sys.exit('leaving')\n", "\0",
    "# -*- coding: klingon -*-\n",
    "def get_config():\n    assert False\n", "config = 1\n", "from configs import default\n",
    "def get_config():\n    return open('nowhere')\n", "def get_config():\n    raise KeyError('a')\n",  # noqa: E501
    "from symmflow_jax.config import conversion\nget_config = conversion.default\nx = y\n",
    "from symmflow_jax.config import conversion\n\n\ndef get_config():\n"
    "    config = conversion.default()\n    config.train.batchsize = 3\n    return config\n",
    "from symmflow_jax.config import conversion\n\n\ndef get_config():\n"
    "    config = conversion.default()\n    config.train = 3\n    return config\n",
    "from symmflow_jax.config import conversion\n\n\ndef get_config():\n"
    "    config = conversion.default()\n    del config.train\n    return config\n",
    "from ml_collections import config_dict\n\n\ndef get_config():\n"
    "    return config_dict.ConfigDict({'train': {'batch_size': 3}, 'more': 1})\n",
    "from ml_collections import config_dict\n\n\ndef get_config():\n"
    "    return config_dict.ConfigDict({'network': None})\n",
)  # fmt: skip

# What may be negative or infinite; nothing may be NaN.
_MAY_BE_NEGATIVE = ("seed", "guidance.weight")


def _keys(values: Any, prefix: str = "") -> dict[str, Any]:
    found = {}
    for field in dataclasses.fields(values):
        value = getattr(values, field.name)
        if dataclasses.is_dataclass(value):
            found |= _keys(value, f"{prefix}{field.name}.")
        else:
            found[prefix + field.name] = value
    return found


_KEYS = tuple(_keys(Config()))


def _build(experiment: Experiment) -> None:
    """Makes what a training and an evaluation make before they compute."""
    experiment.schema  # noqa: B018
    experiment.preparation  # noqa: B018
    experiment.num_steps  # noqa: B018
    experiment.optimizer  # noqa: B018
    experiment.solver_rows()
    experiment.guidance(experiment.eval.generation_steps)
    experiment.parallelism()
    jax.eval_shape(experiment.method.init, jax.random.key(0))
    experiment.metrics()


def _run(arguments: list[str]) -> tuple[Config | None, BaseException | None, str]:
    """The config that a command line makes, what it ends with, and what it prints."""
    found: list[Config] = []

    def command(experiment: Experiment) -> None:
        found.append(experiment.config)
        _build(experiment)

    printed, argv = io.StringIO(), sys.argv
    package = judgement.logging.getLogger("symmflow_jax")
    handlers, propagates = list(package.handlers), package.propagate
    writes_bytecode = sys.dont_write_bytecode
    sys.argv, sys.dont_write_bytecode = ["symmflow_jax", *arguments], True
    error: BaseException | None = None
    try:
        # What an earlier case has imported is not what a process of its own would find.
        sys.modules.pop("config_config", None)
        with contextlib.redirect_stderr(printed), contextlib.redirect_stdout(printed):
            command_line.start(command)
    except (Exception, SystemExit) as caught:
        error = caught
    finally:
        sys.argv, sys.dont_write_bytecode = argv, writes_bytecode
        package.handlers, package.propagate = handlers, propagates
        for name in [name for name in flags.FLAGS if name.startswith("config.")]:
            delattr(flags.FLAGS, name)
        flags.FLAGS.unparse_flags()
    return (found[0] if found else None), error, printed.getvalue()


def _fault(error: BaseException | None, printed: str, names: tuple[str, ...]) -> str | None:
    """What is wrong with the end of a command, or None."""
    if error is None or isinstance(error, SystemExit) and error.code in (None, 0):
        return None
    if not isinstance(error, SystemExit):
        return f"traceback: {type(error).__name__}: {str(error)[:300]}"
    if isinstance(error.code, str):
        if not error.code.startswith("Error: "):
            return f"an exit without a word: {error.code!r}"
        return judgement.fault_of_message(error.code, names)
    # absl shows a mistake in the flags, and a line that points to the help.
    lines = [
        line
        for line in printed.splitlines()
        if line.strip() and "help" not in line and "Traceback" not in line
    ]
    message = " ".join(line.removeprefix("FATAL Flags parsing error:") for line in lines[-1:])
    if "Traceback" in printed or len(lines) > 2:
        return f"{len(lines)} lines: {' / '.join(lines)[:300]}"
    return judgement.fault_of_message(message, names)


def _unsound(config: Config, key: str) -> str | None:
    """A number of an accepted config that no training can use, or None."""
    value = _keys(config)[key]
    numbers = value if isinstance(value, tuple) else (value,)
    for number in numbers:
        if isinstance(number, float) and not math.isfinite(number):
            return f"took {key}={value}"
        is_number = isinstance(number, int | float) and not isinstance(number, bool)
        if is_number and number < 0 and key not in _MAY_BE_NEGATIVE:
            return f"took {key}={value}"
    return None


def _taken(config: Config, key: str, text: str) -> str | None:
    """What is wrong with the value that a text became, or None."""
    try:
        meant = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        meant = text
    value = _keys(config)[key]
    forms = [meant, text, (meant,), (text,)]
    if isinstance(meant, list):
        forms.append(tuple(meant))
    if isinstance(text, str):
        parts = tuple(part.strip() for part in text.split(","))
        forms += [parts, tuple(map(_number, parts)), _number(text), (_number(text),)]
    if value in forms or (text.lower() in ("none", "") and value in (None, "", ())):
        return None
    return f"took {key}={value!r} for {text!r}"


def _number(text: str) -> Any:
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def _result(
    target: str,
    mutation: str,
    error: BaseException | None,
    fault: str | None,
) -> Outcome:
    if fault:
        place = judgement.place_of(error) if error is not None else ""
        return Outcome(0, "", mutation, target, FAILED, fault, place)
    refused = isinstance(error, SystemExit) and error.code not in (None, 0)
    detail = str(error.code) if isinstance(error, SystemExit) else ""
    return Outcome(0, "", mutation, target, REFUSED if refused else SAME, detail)


def override(rng: np.random.Generator, folder: pathlib.Path) -> Outcome:
    """One or two keys with values of any kind on the command line."""
    key = _KEYS[int(rng.integers(len(_KEYS)))]
    given = key
    text = _TEXTS[int(rng.integers(len(_TEXTS)))]
    arguments = [f"--config={TINY}", f"--config.{key}={text}"]
    if rng.random() < 0.2:
        arguments.insert(1, f"--config.{key}={_TEXTS[int(rng.integers(len(_TEXTS)))]}")
    if rng.random() < 0.05:
        arguments.append(f"--config.{key[:-1]}x=1")
        key = key[:-1] + "x"
    config, error, printed = _run(arguments)
    # Weights of an autoencoder make a latent flow, which needs other values of other keys.
    others = ("config.",) if given == "autoencoder.weights" else ()
    names = (
        key.rsplit(".", 1)[-1],
        given,
        text.strip() or given,
        *others,
        *(("--config",) if not text.strip() else ()),
    )
    fault = _fault(error, printed, names)
    if fault is None and config is not None and key in _KEYS:
        ended_well = isinstance(error, SystemExit) and error.code in (None, 0)
        if ended_well:
            fault = _unsound(config, key) or _taken(config, key, text)
    return _result(key, f"override {text!r}", error, fault)


def value(rng: np.random.Generator, folder: pathlib.Path) -> Outcome:
    """A key with a value of any kind in a config file."""
    key = _KEYS[int(rng.integers(len(_KEYS)))]
    text = _VALUES[int(rng.integers(len(_VALUES)))]
    path = folder / "own.py"
    how = rng.integers(3)
    assignment = (
        f"config.{key} = {text}",
        f"config.update_from_flattened_dict({{{key!r}: {text}}})",
        f"config.unlock()\n    config.{key} = {text}",
    )[how]
    path.write_text(
        f"import pathlib\nimport runpy\n\nimport numpy as np\n\n\ndef get_config():\n"
        f"    config = runpy.run_path({str(TINY)!r})['get_config']()\n    {assignment}\n"
        "    return config\n"
    )
    config, error, printed = _run([f"--config={path}"])
    others = ("config.",) if key == "autoencoder.weights" else ()
    fault = _fault(error, printed, (key.rsplit(".", 1)[-1], "own.py", *others))
    if fault is None and config is not None:
        fault = _unsound(config, key)
    return _result(key, f"value {text}", error, fault)


def file(rng: np.random.Generator, folder: pathlib.Path) -> Outcome:
    """A config file that is damaged, of another kind, or not there."""
    path = folder / "own.py"
    path.write_bytes(TINY.read_bytes())
    names: list[str] = []
    what = rng.random()
    if what < 0.4:
        mutation = "file"
        text = _FILES[int(rng.integers(len(_FILES)))]
        path.write_text(text)
        mutation = f"file {text[:40]!r}"
    elif what < 0.7:
        mutation = list(BYTES)[int(rng.integers(len(BYTES)))]
        path.write_bytes(BYTES[mutation](rng, path.read_bytes()))
    else:
        mutation = list(FILES)[int(rng.integers(len(FILES)))]
        names = FILES[mutation](rng, path)
    _, error, printed = _run([f"--config={path}"])
    # A key that the file spells wrongly names the place as well as its name.
    fault = _fault(error, printed, ("own.py", "config.", *filter(None, names)))
    return _result("own.py", mutation, error, fault)


def saved(rng: np.random.Generator, folder: pathlib.Path) -> Outcome:
    """A config that was saved as JSON, with one value of any kind."""
    from tests.campaigns.formats import changed_json

    values = changed_json(rng, conversion.to_json(Config()))
    error: BaseException | None = None
    fault = None
    try:
        config = conversion.from_saved_json(values)
    except (Exception, SystemExit) as caught:
        error = caught
        fault = judgement.fault_of(caught, ("config",))
    else:
        unsound = next(filter(None, (_unsound(config, key) for key in _keys(config))), None)
        if unsound:
            reason = "the numbers of a training that is over are not checked"
            return Outcome(0, "", "changed_json", "", EXCUSED, f"{reason} ({unsound})")
    if error is not None and fault is None:
        return Outcome(0, "", "changed_json", "", REFUSED, str(error))
    return _result("", "changed_json", error, fault)


@dataclasses.dataclass(frozen=True)
class ConfigCase:
    """Cases of configs: a function of a generator and an empty folder, and their share."""

    run: Callable[[np.random.Generator, pathlib.Path], Outcome]
    share: float


CONFIGS: dict[str, ConfigCase] = {
    "config, overridden": ConfigCase(override, 3.0),
    "config, value of a file": ConfigCase(value, 2.0),
    "config, file": ConfigCase(file, 1.0),
    "config, saved": ConfigCase(saved, 1.0),
}
"""Configs."""
