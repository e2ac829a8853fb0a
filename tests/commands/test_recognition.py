"""The commands that read images."""

import pytest

from symmflow_jax.commands import recognition
from symmflow_jax.commands.flags import integration, views

_COMMANDS = {
    "segment": (recognition.SEGMENT, "segmentation:segment_files"),
    "classify": (recognition.CLASSIFY, "classification:classify_files"),
}


@pytest.mark.parametrize("name", _COMMANDS)
def test_an_image_takes_one_step_if_nothing_is_said(
    name, called, flag_values, tiny_experiment, tmp_path, monkeypatch
):
    command, function = _COMMANDS[name]
    read = called(f"inference.files.{function}")
    monkeypatch.setattr(integration, "load", lambda *_: "model")
    monkeypatch.setattr(views, "view", lambda model: f"view of the {model}")
    flag_values(input="photos", min_confidence="0.5", num_draws="3")
    command.run(tiny_experiment(), tmp_path)
    assert read.arguments == ("model", "photos", tmp_path / name)
    named = read.named
    assert (named["num_steps"], named["ensemble_size"], named["min_confidence"]) == (1, 3, 0.5)
    assert named.get("view") == {"segment": "view of the model"}.get(name)


def test_an_id_that_no_file_can_hold_is_refused(flag_values):
    with pytest.raises(Exception, match="unsure_id=70000: it must be at least 0 and at most 65535"):
        flag_values(unsure_id="70000")
