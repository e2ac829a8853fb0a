"""The folder of a run is all that a model needs."""

import jax
import numpy as np
import pytest

import symmflow_jax
from symmflow_jax.runtime.errors import CheckpointError
from tests.campaigns.experiments import random_params, save_random_run

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]


def test_a_run_comes_back_with_its_weights(tiny_experiment, tmp_path):
    experiment = tiny_experiment()
    save_random_run(experiment, tmp_path)
    model = symmflow_jax.load(tmp_path)
    jax.tree.map(
        np.testing.assert_array_equal, model.weights.network, random_params(experiment.method)
    )
    assert model.name == str(tmp_path) and model.names == experiment.schema.names
    assert model.experiment.to_json() == experiment.to_json()
    with pytest.raises(ValueError, match="newest"):
        symmflow_jax.load(tmp_path, checkpoint="newest")


def test_a_folder_without_a_run_is_an_error(tmp_path):
    with pytest.raises(CheckpointError, match=r"holds no checkpoints; train first"):
        symmflow_jax.load(tmp_path)


def test_a_home_or_a_variable_leads_to_a_run(monkeypatch, tmp_path):
    monkeypatch.delenv("NO_SUCH_FOLDER", raising=False)
    with pytest.raises(ValueError, match="The folder of the run is .* NO_SUCH_FOLDER is not set"):
        symmflow_jax.load("$NO_SUCH_FOLDER/run")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(CheckpointError, match=f"{tmp_path}/run"):
        symmflow_jax.load("~/run")
