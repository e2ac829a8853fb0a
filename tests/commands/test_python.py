"""Training and evaluation as Python functions."""

import inspect
import pathlib
import subprocess
import sys
import threading

import jax
import numpy as np
import pytest

import symmflow_jax
from symmflow_jax.commands import python
from symmflow_jax.inference.model import Model
from symmflow_jax.methods.weights import Weights
from symmflow_jax.runtime.errors import CheckpointError
from tests.campaigns.experiments import random_params

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]

_TINY = pathlib.Path(__file__).parents[1] / "configs" / "tiny.py"
_QUICK = {"eval.metrics": ("recognition",), "eval.num_steps": 1, "semantics.encoding": "onehot"}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> pathlib.Path:
    """A run that was trained from Python for two steps."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    with jax.numpy_dtype_promotion("standard"):
        model = symmflow_jax.train(_TINY, _QUICK, train={"num_epochs": 0.25}, workdir=folder)
    assert model.step == 2 and model.name == str(folder)
    return folder


def test_a_run_from_python_is_that_of_the_command_and_goes_on(run, capsys):
    assert (run / "report.md").exists() and (run / "history.jsonl").exists()
    found = []

    def go_on() -> None:
        with jax.numpy_dtype_promotion("standard"):
            values = {"num_epochs": 0.25}
            found.append(symmflow_jax.train(str(_TINY), _QUICK, train=values, workdir=run))

    # In another thread, where no signal can be handled.
    thread = threading.Thread(target=go_on)
    thread.start()
    thread.join()
    assert found[0].step == 2
    text = capsys.readouterr().out
    assert "Resumed" in text and "miou" in text and "Parameters" not in text
    result = found[0].segment(np.zeros((20, 30, 3), np.uint8))
    assert result.mask.shape == (20, 30)


def test_an_evaluation_has_the_values_of_the_run_and_those_that_are_given(run, tmp_path, capsys):
    scores = symmflow_jax.evaluate(run, {"eval.num_examples": 4}, output=tmp_path / "report")
    assert {score.num_examples for score in scores} == {4}
    assert {score.protocol.num_steps for score in scores} == {1}
    assert (tmp_path / "report" / "report.md").exists()
    # A notebook shows what a cell gives: the table must not stand there twice.
    assert "miou   euler 1" in repr(scores) and "miou" not in capsys.readouterr().out
    with pytest.raises(ValueError, match="exists already"):
        symmflow_jax.evaluate(run, {"eval.num_examples": 4}, output=tmp_path / "report")
    with pytest.raises(ValueError, match="data.image_size is of the training,.* not the size"):
        symmflow_jax.evaluate(run, {"data.image_size": (16, 16)})
    with pytest.raises(ValueError, match="train.batch_size is of the training"):
        symmflow_jax.evaluate(run, train={"batch_size": 4})
    with pytest.raises(ValueError, match="The checkpoint is 'bst'; choose one of latest, best"):
        symmflow_jax.evaluate(run, checkpoint="bst")


def test_an_evaluation_knows_the_scale_of_the_training(run, tmp_path):
    whole = {"eval.original_size": True, "eval.fit": "tiles", "eval.num_examples": 2}
    scores = symmflow_jax.evaluate(run, whole, output=tmp_path / "whole")
    assert "original" in {score.protocol.scored_size for score in scores}


def test_an_interruption_saves_and_raises_what_a_notebook_knows(tmp_path):
    code = (
        "import signal, sys, symmflow_jax\n"
        "from symmflow_jax.runtime.progress import Progress\n"
        "advance = Progress.advance\n"
        "def interrupt(self, step):\n"
        "    signal.raise_signal(signal.SIGINT) if step == 1 else None\n"
        "    return advance(self, step)\n"
        "Progress.advance = interrupt\n"
        "before = signal.getsignal(signal.SIGINT)\n"
        "try:\n"
        "    symmflow_jax.train(*sys.argv[1:2], {'train.num_epochs': 0.5}, workdir=sys.argv[2])\n"
        "except KeyboardInterrupt as stop:\n"
        "    print('told:', stop)\n"
        "print('restored:', signal.getsignal(signal.SIGINT) is before)\n"
    )
    command = [sys.executable, "-c", code, str(_TINY), str(tmp_path / "run")]
    result = subprocess.run(command, capture_output=True, text=True)
    assert f"told: Saved in {tmp_path / 'run'}; the same call goes on" in result.stdout, result
    assert "restored: True" in result.stdout
    assert symmflow_jax.load(tmp_path / "run").step == 2


@pytest.mark.parametrize(
    ("arguments", "named", "message"),
    [
        (("shaps",), {}, "The config shaps does not exist.*configs/shapes.py"),
        (({},), {}, r"Give workdir, the folder of the run"),
        ((_TINY,), {"resume": "sme"}, r"resume is 'sme'\. Did you mean 'same'"),
        ((_TINY, {"train.num_epoch": 1}), {}, r"Did you mean 'train\.num_epochs'"),
        ((_TINY,), {"workdir": "$NO_SUCH_PLACE/x"}, "NO_SUCH_PLACE is not set"),
    ],
)
def test_a_wrong_call_is_told_before_anything_begins(arguments, named, message, monkeypatch):
    monkeypatch.delenv("NO_SUCH_PLACE", raising=False)
    with pytest.raises(ValueError, match=message) as caught:
        symmflow_jax.train(*arguments, **named)
    assert caught.value.__traceback__.tb_next.tb_next.tb_next is None


def test_a_model_without_a_folder_cannot_be_evaluated(tiny_experiment, tmp_path):
    experiment = tiny_experiment()
    model = Model(experiment, Weights(random_params(experiment.method)), step=0)
    with pytest.raises(ValueError, match="give the folder of its run"):
        symmflow_jax.evaluate(model)
    with pytest.raises(CheckpointError, match="holds no checkpoints"):
        symmflow_jax.evaluate(tmp_path)


def test_the_module_is_the_function():
    assert inspect.signature(symmflow_jax.train) == inspect.signature(python.train)
    from symmflow_jax.train import train_and_evaluate

    assert callable(symmflow_jax.train) and symmflow_jax.train.train_and_evaluate is not None
    assert train_and_evaluate is symmflow_jax.train.train_and_evaluate
