"""Config files that work from any folder, and what is told of those that do not work."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

from symmflow_jax.config import conversion
from symmflow_jax.config.reading import config_file
from symmflow_jax.config.reading.config_file import ConfigFileError

ROOT = pathlib.Path(__file__).parents[3]

_GOOD = """
from symmflow_jax.config import conversion

def get_config():
    config = conversion.default()
    config.train.batch_size = 3
    return config
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """A function that writes a config file in the current folder."""
    monkeypatch.chdir(tmp_path)

    def write_file(text: str | bytes, name: str = "mine.py") -> str:
        path = pathlib.Path(name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return name

    return write_file


def test_a_config_file_gives_its_values(write):
    assert config_file.load(write(_GOOD)).train.batch_size == 3
    assert not pathlib.Path("__pycache__").exists()


def test_a_changed_file_is_read_anew_at_once(write):
    config_file.load(write(_GOOD))
    write(_GOOD.replace("= 3", "= 4"))
    assert config_file.load("mine.py").train.batch_size == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "mine.py has no function get_config(); define one that returns the config"),
        ("get_config = 1", "mine.py has no function get_config()"),
        ("def get_config():\n    x = = 3", "mine.py, line 2: SyntaxError: invalid syntax: 'x = = "),
        ("def get_config():\n  pass\n pass", "mine.py, line 3: IndentationError: unindent does"),
        (b"\x80\x81 = 1", "mine.py, line 1: SyntaxError: (unicode error) 'utf-8' codec"),
        (b"x = 1\0", "mine.py: SyntaxError: source code string cannot contain null bytes"),
        ("import os\n\n1 / 0", "mine.py, line 3: ZeroDivisionError: division by zero"),
        ("import sys; sys.exit('no')", "mine.py, line 1: SystemExit: no"),
        ("import nowhere.at_all", "mine.py, line 1: ModuleNotFoundError: No module named"),
        ("raise ValueError('a\\nb')", "mine.py, line 1: ValueError: a. Correct the config file."),
        ("def get_config():\n    return", "get_config() of mine.py returns None; it must return a"),
        ("def get_config():\n    return {}", "get_config() of mine.py returns a dict; it must"),
        (
            "def get_config(name):\n    return",
            "missing a required argument: 'name'; give it after a colon, as in "
            "--config=mine.py:ARGUMENT.",
        ),
        (
            _GOOD.replace("batch_size", "batchsize"),
            'mine.py, line 6: AttributeError: Key "batchsize" does not exist and cannot be added '
            'since the config is locked. Did you mean "batch_size" instead of "batchsize"?',
        ),
        (
            _GOOD.replace("= 3", "= 'x'"),
            "mine.py, line 6: TypeError: Could not override field 'batch_size'",
        ),
        (
            "from configs import default",
            "mine.py, line 1: ModuleNotFoundError: No module named 'configs'. Config files find "
            "the defaults by `from symmflow_jax.config import conversion`",
        ),
    ],
)
def test_a_broken_config_is_told_in_one_line(write, monkeypatch, text, message):
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p and pathlib.Path(p) != ROOT])
    for name in [name for name in sys.modules if name.split(".")[0] == "configs"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ConfigFileError, match=re.escape(message)) as error:
        config_file.load(write(text))
    assert "\n" not in str(error.value) and len(str(error.value)) < 500


def test_a_config_that_is_not_there_is_told_with_the_most_similar_one(write):
    write(_GOOD, "configs/shapes.py")
    near = (
        "not exist. Did you mean 'shapes.py'. With symmflow_jax comes configs/shapes.py, "
        "configs/shapes_map.py; --conf"
    )
    with pytest.raises(ConfigFileError, match=near):
        config_file.load("configs/shape.py")
    with pytest.raises(ConfigFileError, match="is a folder; give one of its files: shapes.py"):
        config_file.load("configs")
    with pytest.raises(ConfigFileError, match="The current folder is .*, and it has no conf"):
        config_file.load("conf/shapes.py")
    with pytest.raises(ConfigFileError, match="There is no Python file in"):
        config_file.load("mine.py")
    with pytest.raises(ConfigFileError, match="is not a regular file"):
        config_file.load(os.devnull)
    with pytest.raises(ConfigFileError, match="cannot be read: File name too long"):
        config_file.load("a" * 5_000)


def test_text_after_a_colon_is_the_argument(write):
    name = write(_GOOD.replace("get_config()", "get_config(size)").replace("= 3", "= int(size)"))
    assert config_file.load(f"{name}:8").train.batch_size == 8
    assert config_file.stem(f"some/{name}:8") == "mine"
    with pytest.raises(ConfigFileError, match="too many positional arguments; leave out ':8'"):
        config_file.load(write(_GOOD) + ":8")


def test_a_home_and_variables_lead_to_a_config(write, monkeypatch, tmp_path):
    write(_GOOD)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MINE", str(tmp_path))
    assert config_file.load("~/mine.py").train.batch_size == 3
    assert config_file.load("${MINE}/mine.py").train.batch_size == 3


def test_an_error_in_the_file_below_is_told_with_its_own_line(write):
    write("\n1 / 0", "below.py")
    write(
        "from symmflow_jax.config.reading.config_file import beside\n"
        'below = beside(__file__, "below.py")'
    )
    with pytest.raises(ConfigFileError, match=r"^below\.py, line 2: ZeroDivisionError"):
        config_file.load("mine.py")
    pathlib.Path("below.py").unlink()
    with pytest.raises(ConfigFileError, match=r"below\.py does not exist"):
        config_file.load("mine.py")


def test_configs_of_the_checkout_work_beside_another_folder_of_that_name(tmp_path):
    """From a project of the user's own, whose `configs` holds something else."""
    decoy = tmp_path / "configs"
    decoy.mkdir()
    for name in ("__init__", "default", "coco", "coco_pixels", "mnist", "spirals"):
        (decoy / f"{name}.py").write_text("raise RuntimeError('the wrong one')\n")
    program = (
        "import sys\n"
        "from symmflow_jax.config.reading import config_file\n"
        "for path in sys.argv[1:]: config_file.load(path)\n"
    )
    configs = sorted((ROOT / "configs").glob("*.py"))
    relative = os.path.relpath(ROOT / "configs" / "coco_small.py", tmp_path)
    result = subprocess.run(
        [sys.executable, "-c", program, *map(str, configs), relative],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr


def test_configs_of_users_may_still_import_the_default_from_the_root(write, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))  # As `python -m` does in the root of the checkout.
    name = write("from configs import default\n\nget_config = default.get_config")
    assert config_file.load(name).to_dict() == conversion.default().to_dict()
