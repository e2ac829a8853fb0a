"""Mistakes on the command line, as users meet them: one line, and status 1."""

import os
import pathlib
import subprocess
import sys

import pytest
from absl import flags
from absl.testing import flagsaver

from symmflow_jax import main
from symmflow_jax.commands.flags import paths
from symmflow_jax.config import command_line

_CONFIG = f"--config={pathlib.Path(__file__).parents[1] / 'configs' / 'tiny.py'}"


@pytest.fixture
def run(monkeypatch):
    """A function from arguments of the command line to its exit: 0, or the error's text."""
    monkeypatch.setattr(command_line, "prepare", lambda: None)
    monkeypatch.setattr(command_line, "_prepare_jax", lambda *, has_config: None)

    def start(*arguments: str, command=main.main):
        monkeypatch.setattr("sys.argv", ["symmflow_jax", *arguments])
        with flagsaver.flagsaver(), pytest.raises(SystemExit) as ended:
            command_line.start(command)
        return ended.value.code or 0

    return start


def test_flags_are_parsed_before_jax_is_imported():
    """Help, the list of configs and mistakes are told at once."""
    code = "import sys, symmflow_jax.main; print({'jax', 'tensorflow'} & {*sys.modules})"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "set()\n"


def test_the_configs_are_listed(run, capsys):
    assert run("--config=list", "--mode=segment") == 0
    assert "configs/shapes.py " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give --config, for instance --config=configs/shapes.py."),
        (["--config="], "Give --config, for instance --config=configs/shapes.py."),
        (["--config=nowhere.py"], "The config nowhere.py does not exist."),
        ([_CONFIG, "--config.train.batch_sise=3"], "Did you mean 'train.batch_size'?"),
        ([_CONFIG, "photos"], "Unknown argument 'photos'; flags are written --name=value."),
        ([_CONFIG, "--no_such_flag=1"], "Unknown command line flag 'no_such_flag'"),
        ([_CONFIG, "--mode=paint"], "flag --mode=paint: value should be one of <train|"),
        ([_CONFIG, "--num_samples=0"], "flag --num_samples=0: it must be at least 1."),
        ([_CONFIG, "--num_samples=-2"], "flag --num_samples=-2: it must be at least 1."),
        ([_CONFIG, "--num_draws=0"], "flag --num_draws=0: it must be at least 1."),
        ([_CONFIG, "--num_rounds=x"], "flag --num_rounds=x: it must be of type int."),
        ([_CONFIG, "--min_confidence=nan"], "it must be at least 0 and at most 1."),
        ([_CONFIG, "--seed=4294967296"], "it must be at least 0 and at most 4294967295."),
        ([_CONFIG, "--unsure_id=-1"], "it must be at least 0 and at most 65535."),
        (
            [_CONFIG, "--workdir=$NO_SUCH_FOLDER/run"],
            "--workdir is '$NO_SUCH_FOLDER/run', but the environment variable NO_SUCH_FOLDER is "
            "not set; set it, or write the path out.",
        ),
        (
            [_CONFIG, "--config.data.dir=${NO_SUCH_FOLDER}"],
            "config.data.dir is '${NO_SUCH_FOLDER}', but the environment variable",
        ),
    ],
)
def test_a_mistake_is_told_in_one_line(run, monkeypatch, tmp_path, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    error = run(*arguments)
    assert error.startswith("Error: ") and message in error
    assert "\n" not in error
    # No help text or traceback beside it, and nothing in the folder.
    assert capsys.readouterr() == ("", "") and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.ema_decay=nan", "config.train.ema_decay is nan; it must be at least 0 and below 1"),
        ("train.ema_decay=1.0", "config.train.ema_decay is 1.0; it must be at least 0 and below 1"),
        ("train.ema_decay=1.5", "config.train.ema_decay is 1.5; it must be at least 0 and below 1"),
        ("train.clip_norm=0", "config.train.clip_norm is 0.0; it must be above 0."),
        ("network.attention_rates=3", "there is no level of rate 3; the rates are 1."),
        ("train.warmup_epochs=9", "warmup_epochs is 9, longer than the training of config.train"),
        ("guidance.weight=nan", "config.guidance.weight is nan; it must be a finite number."),
        ("network.num_groups=0", "config.network.num_groups is 0; it must be at least 1."),
        ("data.image_size=-8,8", "config.data.image_size is (-8, 8); each number must be at least"),
        ("data.image_channels=0", "config.data.image_channels is 0; it must be at least 1 and at"),
        ("data.num_workers=-1", "config.data.num_workers is -1; it must be at least 0."),
        ("train.num_epochs=inf", "config.train.num_epochs is inf; it must be finite, above 0."),
        ("eval.tolerance=0", "config.eval.tolerance is 0.0; it must be at least 1e-07"),
        ("seed=-1", "config.seed is -1; it must be at least 0 and at most 4294967295."),
    ],
)
def test_an_impossible_number_is_told_before_data_is_opened(run, override, message):
    nowhere = ("--config.data.source=coco_stuff", "--config.data.dir=nowhere")
    error = run(_CONFIG, *nowhere, f"--config.{override}")
    assert error.startswith("Error: ") and message in error and "\n" not in error


def test_of_flags_given_twice_the_last_counts(run):
    found = []

    def keep(experiment):
        found.append((experiment.data.image_size, experiment.data.class_names))
        found.append((flags.FLAGS.batch_sizes, flags.FLAGS.num_steps, command_line.config_name()))

    defaults = (
        "--config=nowhere.py",
        "--config.data.image_size=32,32",
        "--config.data.class_names=('a', 'b')",
        "--batch_sizes=1,2",
        "--num_steps=3",
    )
    given = (
        _CONFIG,
        "--config.data.image_size=(64, 64)",
        "--config.data.class_names=('c',)",
        "--batch_sizes=4",
        "--num_steps=5",
    )
    assert run(*defaults, *given, command=keep) == 0
    assert found == [((64, 64), ("c",)), (["4"], 5, "tiny")]


def test_overrides_may_come_from_a_file_and_before_the_config(run, tmp_path):
    found = []
    (tmp_path / "flags").write_text("--config.train.batch_size=16\n")
    arguments = (f"--flagfile={tmp_path / 'flags'}", "--config.seed=3", _CONFIG)
    assert run(*arguments, command=lambda experiment: found.append(experiment)) == 0
    assert (found[0].train.batch_size, found[0].seed) == (16, 3)


def test_homes_and_variables_in_paths_are_expanded(run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATA", str(tmp_path / "data"))
    found = []

    def keep(experiment):
        found.extend([experiment.data.dir, experiment.data.latents, experiment.data.class_names])
        found.extend(map(command_line.path_flag, (paths.WORKDIR, paths.OUTPUT, paths.INPUT)))

    arguments = (
        "--config.data.dir=$DATA/coco",
        "--config.data.latents=~/${USER_OF_TEST}/latents",
        "--config.data.class_names=('~', '$DATA')",
        "--workdir=~/run",
        "--output=${DATA}/out",
    )
    monkeypatch.setenv("USER_OF_TEST", "me")
    assert run(_CONFIG, *arguments, command=keep) == 0
    home = tmp_path / "home"
    assert found[:2] == [f"{tmp_path}/data/coco", f"{home}/me/latents"]
    assert found[2] == ("~", "$DATA")
    assert found[3:] == [f"{home}/run", f"{tmp_path}/data/out", ""]
    assert not os.path.exists("~")


def test_commands_without_a_config_do_not_pass_over_one(monkeypatch):
    monkeypatch.setattr("sys.argv", ["compare", "--config.seed=3"])
    with flagsaver.flagsaver(), pytest.raises(SystemExit) as ended:
        command_line.run(lambda: None)
    assert ended.value.code == "Error: This command takes no --config; leave it out."


def test_errors_of_several_lines_become_one(monkeypatch, run):
    def fail(experiment):
        raise ValueError("first\n  second")

    assert run(_CONFIG, command=fail) == "Error: first second"


def test_a_path_that_the_locale_cannot_write_is_refused():
    values = {"data": {"dir": "/data/gr\ud800n", "class_names": ("gr\ud800n",)}, "seed": 3}
    with pytest.raises(ValueError, match=r"config\.data\.dir='/data/gr.ud800n'.*PYTHONUTF8=1"):
        command_line._check_paths(values)
    command_line._check_paths({"data": {"dir": "/data/gr\udcf6n"}})  # A name that is not UTF-8.
