"""A run counts its training examples once, and again when they are others."""

import dataclasses

import pytest

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.values import Config, DataConfig
from symmflow_jax.data.class_counts import ClassCounts
from symmflow_jax.runs.classes import kept_counts


@pytest.fixture
def experiment():
    data = DataConfig(source="shapes", train_size=5, image_size=(32, 32))
    return Experiment(Config(data=data))


def test_kept_counts_are_taken_without_counting(experiment, tmp_path):
    kept_counts.keep(experiment, tmp_path)
    again = kept_counts.with_kept(Experiment(experiment.config), tmp_path)
    assert again.given_table.tolist() == experiment.class_table.tolist()
    assert again.class_counts == ClassCounts.of_examples(experiment.class_table)


def test_counts_of_other_examples_are_not_taken(experiment, tmp_path):
    kept_counts.keep(experiment, tmp_path)
    other = Experiment(dataclasses.replace(experiment.config, seed=1))
    assert kept_counts.with_kept(other, tmp_path).given_table is None


def test_a_damaged_file_is_counted_anew(experiment, tmp_path):
    kept_counts.keep(experiment, tmp_path)
    path = tmp_path / kept_counts.CLASS_COUNTS
    path.write_bytes(path.read_bytes()[:40])
    assert kept_counts.with_kept(experiment, tmp_path).given_table is None


def test_a_new_run_has_no_counts(experiment, tmp_path):
    assert kept_counts.with_kept(experiment, tmp_path / "missing").given_table is None
