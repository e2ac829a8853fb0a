"""The check of imported weights, on a tiny network that has learned drawn scenes."""

import dataclasses
import json
import logging
import pathlib
import re

import numpy as np
import pytest
import safetensors.numpy

from symmflow_jax.interop.names import pixel_unet
from symmflow_jax.preparation.import_weights import import_weights
from symmflow_jax.preparation.imported import assumed_settings, loss_check
from symmflow_jax.preparation.imported.loss_check import (
    Candidate,
    Comparison,
    Findings,
    better_of,
    check_losses,
    reading_error,
    warnings_of,
)
from symmflow_jax.semantics import palettes

TRAINED = pathlib.Path(__file__).parents[2] / "fixtures" / "trained_unet.npz"


@pytest.fixture(scope="module")
def trained() -> tuple[dict, dict]:
    """The state dict of the trained network, and the config values of its network."""
    arrays = dict(np.load(TRAINED))
    network = json.loads(str(arrays.pop("network")))
    network = {k: tuple(v) if isinstance(v, list) else v for k, v in network.items()}
    return {name: array.astype(np.float32) for name, array in arrays.items()}, network


@pytest.fixture
def imported(trained, tiny_experiment, tmp_path, caplog, monkeypatch):
    """A function that imports the weights with changed values, and returns what was said."""
    monkeypatch.setattr(assumed_settings, "_MOST_HEADS", 1)  # Saves a compilation.

    def run(changes=(), state_dict=None, **options) -> tuple[str, list[str]]:
        path = tmp_path / "weights.safetensors"
        safetensors.numpy.save_file(state_dict or trained[0], path)
        values = trained[1] | {"data.eval_size": 16} | dict(changes)
        with caplog.at_level("INFO", "symmflow_jax"):
            import_weights(tiny_experiment(**values), path, tmp_path / "run", **options)
        said = [r for r in caplog.records if r.name == loss_check.__name__]
        warned = [r.getMessage() for r in said if r.levelno == logging.WARNING]
        return said[0].getMessage(), warned

    return run


def test_right_weights_are_imported_with_their_figures_alone(imported):
    said, warned = imported()
    assert not warned
    figures = [float(text) for text in re.findall(r"\d+\.\d{4}", said)]
    assert said.startswith("Loss on 16 examples of the evaluation split: images 0.")
    for mine, simple, zero in np.reshape(figures, (2, 3)):
        assert mine < 0.9 * simple < zero
    assert re.search(r"read from clean images are off by 0\.\d\d of their variance", said)


def test_a_run_with_two_clocks_checks_the_one_that_is_imported(imported):
    said, warned = imported({"train.clock": "mixed"})
    assert said.startswith("Loss on 16 examples") and not warned


def test_wrong_heads_are_told_with_the_right_ones(imported):
    _, (warned,) = imported({"network.head_channels": 8})
    assert warned.startswith("With --config.network.head_channels=4 the loss is 0.2")


def test_the_wrong_order_is_told(imported):
    _, (warned,) = imported(new_attention_order=True)
    assert warned.startswith("With --nouse_new_attention_order the loss is 0.2")
    assert "the weights were probably made with these settings" in warned


def _checked(trained, experiment, caplog, state_dict=None) -> list[str]:
    """Warnings for the trained network alone, without other settings."""
    method = experiment.method
    params = pixel_unet.params_from_state_dict(state_dict or trained[0], method.network)
    with caplog.at_level("INFO", "symmflow_jax"):
        check_losses(experiment, [Candidate(method, lambda: params)], None, 16)
    assert caplog.records[-1].name == loss_check.__name__
    return [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]


def test_wrong_colours_are_told(trained, tiny_experiment, caplog):
    experiment = tiny_experiment(**trained[1] | {"data.eval_size": 16}).without_files()
    # Near to the true ones: black is the same, and the others lie between it and them.
    colours = palettes.CELEBAMASK_HQ[: experiment.schema.num_classes]
    schema = dataclasses.replace(experiment.schema, palette=colours)
    (warned,) = _checked(trained, experiment.with_schema(schema), caplog)
    assert warned.startswith("The loss of semantics")
    assert "the classes have other colours or codes than the weights have learned" in warned


def test_random_weights_are_told(trained, tiny_experiment, caplog):
    rng = np.random.default_rng(0)
    random = {
        name: (0.1 * rng.standard_normal(array.shape)).astype(np.float32)
        for name, array in trained[0].items()
    }
    experiment = tiny_experiment(**trained[1] | {"data.eval_size": 16}).without_files()
    (warned,) = _checked(trained, experiment, caplog, random)
    assert warned.startswith("The loss of images, ")
    assert "is that of weights that have not learned these images" in warned


def test_an_import_without_data_says_how_to_get_the_check(imported, tmp_path):
    missing = {"data.source": "paired_folder", "data.dir": str(tmp_path / "gone")}
    names = {"data.class_names": tuple("abcde")}
    said, warned = imported(missing | names)
    assert warned == [said]
    assert re.match(r"The loss of the imported weights was not checked: .*gone", said)
    assert "give the data (config.data) and import into another --workdir" in said
    assert (tmp_path / "run" / "config.json").exists()


def _comparison(imported: float) -> Comparison:
    return Comparison(imported, simple=1.0, zero=1.5)


def test_what_the_losses_say():
    low, high, broken = (_comparison(loss) for loss in (0.5, 1.2, np.nan))
    assert not warnings_of(Findings(low, low, 1.2))
    for image in (high, broken):
        (warned,) = warnings_of(Findings(image, high, 2.0))
        assert "have not learned these images" in warned
    for findings in (Findings(low, high, 2.0), Findings(low, high, 0.5), Findings(low, broken, 0)):
        (warned,) = warnings_of(findings)
        assert "is not clearly below that without a network, 1.0000" in warned
    for error in (1.8, np.nan):
        (warned,) = warnings_of(Findings(low, low, error))
        assert f"are off by {error:.2f} of their variance" in warned
        assert "other colours or codes" in warned


def test_the_error_of_readings_leaves_out_their_noise():
    rng = np.random.default_rng(0)
    truth = 2.0 + 0.5 * rng.standard_normal((500, 4, 4, 3))
    noise = rng.standard_normal((4, *truth.shape))
    mean = truth.mean(axis=(0, 1, 2))
    # Readings: the truth, the mean, and unrelated values of one spread; all with noise.
    for read, expected in ((truth, 0.0), (mean, 1.0), (truth[::-1], 2.0)):
        found = reading_error([read + one - truth for one in noise], truth)
        assert abs(found - expected) < 0.1


def test_another_setting_must_be_clearly_better():
    rng = np.random.default_rng(0)
    own = 1.0 + 0.5 * rng.uniform(size=16)
    assert better_of([own]) == 0
    assert better_of([own, own + 0.1, own.copy()]) == 0
    assert better_of([own, 0.9 * own, 0.5 * own]) == 2
    assert better_of([own, 0.995 * own]) == 0  # Sure, but too small to matter.
    assert better_of([own, own - 0.1 + rng.standard_normal(16)]) == 0  # Large, but not sure.
    assert better_of([own * np.nan, own]) == 1
    assert better_of([own, own * np.nan]) == 0
