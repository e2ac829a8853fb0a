"""The steps of a run, with the checkpoints and evaluations between them."""

import signal

import numpy as np
import pytest

from symmflow_jax.runs.checkpointing import opening
from symmflow_jax.runtime.signals import Interrupted, InterruptionRequest
from tests.loop.training import POINTS, losses_of, train_only, weights_of

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]


def test_the_loss_falls(tiny_experiment, tmp_path):
    experiment = tiny_experiment(
        **{
            "train.num_epochs": 10.0,
            "train.peak_learning_rate": 1e-2,
            "train.checkpoint_every_steps": 1_000,
        }
    )
    train_only(experiment, tmp_path)
    losses = list(losses_of(tmp_path).values())
    assert len(losses) == 80
    assert np.mean(losses[-20:]) < 0.8 * np.mean(losses[:10])


def test_the_number_of_workers_may_change_when_a_run_goes_on(tiny_experiment, tmp_path):
    pytest.importorskip("absl.flags").FLAGS(["test"])
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    experiment = tiny_experiment(**POINTS)
    train_only(experiment, undisturbed)
    stop = InterruptionRequest()
    stop.signal_number = signal.SIGTERM  # Stops after each step.
    for num_workers in (0, 1, 0):
        with pytest.raises(Interrupted):
            train_only(experiment.changed({"data.num_workers": num_workers}), disturbed, stop)
    train_only(experiment, disturbed)
    assert list(losses_of(disturbed)) == [1, 2, 3, 4]
    assert losses_of(disturbed) == losses_of(undisturbed)


def test_an_evaluation_that_a_signal_has_cut_off_is_made_up_for(tiny_experiment, tmp_path):
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    experiment = tiny_experiment(**POINTS, **{"train.eval_every_steps": 2})
    train_only(experiment, undisturbed)
    stop = InterruptionRequest()
    stop.signal_number = signal.SIGTERM  # Stops after each step, also where evaluation is due.
    for _ in range(3):
        with pytest.raises(Interrupted):
            train_only(experiment, disturbed, stop)
    train_only(experiment, disturbed)
    scores = []
    for workdir in (undisturbed, disturbed):
        with opening.open_to_read(workdir) as manager:
            scores.append(opening.score_of(manager, 2))
    assert scores[0] is not None and scores[0] == scores[1]
    assert (disturbed / "pictures" / "step_0000002.png").exists()


def test_accumulated_gradients_are_those_of_the_whole_batch(tiny_experiment, tmp_path):
    for parts in (1, 4):
        experiment = tiny_experiment(**{"train.num_epochs": 0.5, "train.num_microbatches": parts})
        train_only(experiment, tmp_path / str(parts))
    whole, parts = weights_of(tmp_path / "1"), weights_of(tmp_path / "4")
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)
