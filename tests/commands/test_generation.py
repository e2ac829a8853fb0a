"""The commands that make images."""

import types

import pytest

from symmflow_jax.commands import generation
from symmflow_jax.commands.flags import integration


@pytest.fixture(autouse=True)
def model(monkeypatch):
    """A model of masks in the place of that of the workdir."""
    model = types.SimpleNamespace(reads_masks=True)
    monkeypatch.setattr(integration, "load", lambda *_: model)
    return model


def test_images_take_25_steps_if_nothing_is_said(called, flag_values, tiny_experiment, tmp_path):
    generate = called("inference.files.generation:generate_files")
    flag_values(input="masks", num_samples="3")
    generation.GENERATE.run(tiny_experiment(), tmp_path)
    assert generate.arguments[1:] == ("masks", tmp_path / "generate")
    named = generate.named
    assert (named["num_steps"], named["num_samples"], named["overwrite"]) == (25, 3, False)


def test_masks_in_a_bucket_are_refused_but_labels_are_no_paths(
    called, flag_values, tiny_experiment, tmp_path, model
):
    generate = called("inference.files.generation:generate_files")
    flag_values(input="gs://bucket/masks")
    with pytest.raises(ValueError, match="Copy the files to a disk"):
        generation.GENERATE.run(tiny_experiment(), tmp_path)
    model.reads_masks = False
    flag_values(input="cat,dog")
    generation.GENERATE.run(tiny_experiment(), tmp_path)
    assert generate.arguments[1] == "cat,dog"


@pytest.mark.parametrize("what", ["pairs", "images", "semantics"])
def test_everything_can_be_sampled(what, called, flag_values, tiny_experiment, tmp_path):
    sample = called("inference.files.sampling:sample_files")
    flag_values(what=what, num_steps="4")
    generation.SAMPLE.run(tiny_experiment(), tmp_path)
    assert sample.arguments[1].name.lower() == what
    assert sample.named["num_steps"] == 4


def test_the_best_pairs_and_unsure_pixels_are_by_flags(
    called, flag_values, tiny_experiment, tmp_path
):
    sample = called("inference.files.sampling:sample_files")
    flag_values(keep_best="0.25")
    generation.SAMPLE.run(tiny_experiment(), tmp_path)
    assert sample.named["keep_best"] == 0.25
    generate = called("inference.files.generation:generate_files")
    flag_values(input="masks", unsure_id="9")
    generation.GENERATE.run(tiny_experiment(), tmp_path)
    assert generate.named["unsure_id"] == 9
