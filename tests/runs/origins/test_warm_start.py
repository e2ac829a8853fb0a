"""Trainings that begin with the weights of a run (`train.init_from`)."""

import logging
import shutil

import jax
import numpy as np
import pytest

import symmflow_jax
from symmflow_jax.loop.run import Run
from symmflow_jax.loop.start import Start
from symmflow_jax.methods.weights import Params
from symmflow_jax.preparation.import_weights import _save
from symmflow_jax.runs.checkpointing import opening, restoring
from symmflow_jax.runs.folder import Claim
from symmflow_jax.runs.resumption import Resume
from symmflow_jax.train import train_and_evaluate

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]

_TWO_CLOCKS = {"train.clock": "independent"}


def _params(folder) -> Params:
    return jax.device_get(symmflow_jax.load(folder).weights.network)


def _first_state(experiment, workdir):
    with Claim(workdir) as claim:
        run = Run.begin(Start.check(experiment, workdir), claim)
        try:
            state, step = run.first_state()
            assert step == 0
            return jax.device_get(run.parallelism.fetch(state))
        finally:
            run.close()


@pytest.mark.parametrize("parallel", ["pmap", "fsdp"])
def test_a_training_begins_with_averaged_weights(make, trained, tmp_path, parallel):
    changed = {"train.init_from": str(trained), "parallel": parallel}
    state = _first_state(make(**changed), tmp_path)
    for params in (state.params, state.ema_params):
        jax.tree.map(np.testing.assert_array_equal, params, _params(trained))
    assert state.step == 0
    moments = [leaf for leaf in jax.tree.leaves(state.opt_state) if leaf.ndim]
    assert moments and not any(np.any(leaf) for leaf in moments)


def test_a_run_of_one_clock_may_begin_one_of_two(make, trained, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    experiment = make(**_TWO_CLOCKS, **{"train.init_from": str(trained)})
    train_and_evaluate(experiment, tmp_path)
    assert f"Begins with the averaged weights of step 4 of {trained}: 3 of 4 arrays" in caplog.text
    # The row of the second time has learned something.
    assert np.any(_params(tmp_path)["dense_0"]["kernel"][-1])


def test_it_goes_on_and_does_not_begin_again(make, trained, tmp_path):
    """Also if the run that it began with is gone."""
    origin = tmp_path / "origin"
    shutil.copytree(trained, origin)
    begun = {"train.init_from": str(origin)}
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    longer = {"train.num_epochs": 1.0}
    train_and_evaluate(make(**begun, **longer), whole)
    shutil.copytree(whole, parts)
    shutil.rmtree(parts / "checkpoints" / "8")
    shutil.rmtree(origin)
    train_and_evaluate(make(**begun, **longer), parts)
    jax.tree.map(np.testing.assert_array_equal, _params(parts), _params(whole))
    with opening.open_to_read(parts) as manager:
        saved = restoring.restore_description(manager, 8)
    assert saved["init_from"] == {"folder": str(origin), "step": 4}
    # Without the key it goes on too, and with another one it is refused.
    Start.check(make(**longer), parts)
    other = make(**longer, **{"train.init_from": str(trained)})
    with pytest.raises(ValueError, match="has a checkpoint of step 8 that began with those of"):
        Start.check(other, parts)


def test_a_run_that_began_from_nothing_is_not_begun_again(make, trained, tmp_path):
    shutil.copytree(trained, tmp_path / "own")
    experiment = make(**{"train.init_from": str(trained)})
    with pytest.raises(ValueError, match="of step 4 that did not begin with them; give another"):
        Start.check(experiment, tmp_path / "own", Resume.SAME)


def test_imported_weights_begin_a_training(make, tmp_path):
    """A folder as `--mode=import` leaves it: weights without the state of an optimizer."""
    experiment, folder = make(), tmp_path / "imported"
    params = jax.device_get(experiment.method.init(jax.random.key(3)))
    _save(experiment, folder, params, {})
    state = _first_state(make(**{"train.init_from": str(folder)}), tmp_path / "run")
    jax.tree.map(np.testing.assert_array_equal, state.params, params)


def test_other_classes_are_told(make, trained, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    names = tuple("abcdefgh")
    experiment = make(**{"train.init_from": str(trained), "data.class_names": names})
    state = _first_state(experiment, tmp_path)
    assert "Made anew for other semantics: their part of dense_0 and out_dense" in caplog.text
    assert "class names is ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'], was [" in caplog.text
    before, after = _params(trained), state.params
    for made, old in (
        (after["dense_0"]["kernel"], before["dense_0"]["kernel"]),
        (after["out_dense"]["kernel"].T, before["out_dense"]["kernel"].T),
    ):
        np.testing.assert_array_equal(made[:16], old[:16])
        assert np.all(made[16:24] != old[16:24])
    np.testing.assert_array_equal(after["dense_0"]["bias"], before["dense_0"]["bias"])
