"""The command that edits photos."""

import types

import pytest

from symmflow_jax.commands import editing
from symmflow_jax.commands.flags import integration
from symmflow_jax.inference.editing import Keep, Source
from symmflow_jax.methods.editing import Origin


@pytest.fixture(autouse=True)
def model(monkeypatch, tiny_experiment):
    """A model in the place of that of the workdir."""
    model = types.SimpleNamespace(reads_masks=True, experiment=tiny_experiment())
    monkeypatch.setattr(integration, "load", lambda *_: model)
    return model


@pytest.fixture
def edit(called, tiny_experiment, tmp_path, flag_values):
    """A function that runs the command with flags, and returns the call of `edit_files`."""
    call = called("inference.files.editing.photos:edit_files")

    def run(**values):
        flag_values(**values)
        editing.EDIT.run(tiny_experiment(), tmp_path)
        return call

    return run


def test_files_go_to_the_edit_of_files(edit, tmp_path):
    call = edit(input="photo.png", mask="new.png", source_mask="old.png", keep="region.png")
    _, photos, output, wanted, solve = call.arguments
    assert (photos, output) == ("photo.png", tmp_path / "edit")
    assert (wanted.masks, wanted.source_masks, wanted.keep) == ("new.png", "old.png", "region.png")
    assert wanted.source is Source.READ and wanted.editing.origin is Origin.PHOTO
    assert solve.num_steps == 25 and call.named == {"seed": 0, "sheet": False, "overwrite": False}


def test_rules_are_told_from_files(edit):
    wanted = edit(input="p", mask="m", keep="none", source_mask="none").arguments[3]
    assert wanted.keep is Keep.NONE
    assert wanted.source is Source.NONE and wanted.source_masks == ""


def test_labels_and_the_way_are_passed_on(edit):
    given = {"input": "p", "to": "cat", "source": "dog", "strength": "0.75", "num_noises": "3"}
    wanted = edit(**given, num_steps="4", sheet="true", seed="7").arguments[3]
    assert (wanted.label, wanted.source_label, wanted.keep) == ("cat", "dog", None)
    assert (wanted.editing.start, wanted.editing.num_noises) == (0.25, 3)


@pytest.mark.parametrize("origin", ["noise", "inversion"])
def test_strength_is_for_edits_from_the_photo(edit, origin):
    assert edit(input="p", mask="m", **{"from": origin}).arguments[3].editing.origin == Origin(
        origin
    )
    with pytest.raises(ValueError, match="--strength is for --from=photo"):
        edit(input="p", mask="m", strength="0.5", **{"from": origin})


def test_masks_in_a_bucket_are_refused(edit):
    with pytest.raises(ValueError, match=r"--mask is gs://bucket/masks.* Copy the files to a disk"):
        edit(input="p", mask="gs://bucket/masks")
