"""The JSON of a result: its commands are those of the command line."""

import json
import shlex

import pytest
from absl import flags

from symmflow_jax import main
from symmflow_jax.config.reading import overrides
from symmflow_jax.methods.editing import Origin
from symmflow_jax.studio import recipe
from symmflow_jax.studio.settings import Settings

_RUN = ("--config=configs/shapes.py", "--workdir=my runs/a")


def _given(command: str) -> tuple[dict[str, str], dict[str, str]]:
    """The flags and the overrides of a command, which must be those of its mode."""
    program, arguments = shlex.split(command)[:3], shlex.split(command)[3:]
    assert program == ["python", "-m", "symmflow_jax.main"]
    rest, keys = overrides.split(arguments)
    values = dict(text.removeprefix("--").split("=", 1) for text in rest)
    mode = main.MODES[values["mode"]]
    for name, value in values.items():
        flags.FLAGS[name].parser.parse(value)
        assert name in ("config", "workdir", "mode") or name in mode.flags
    assert not overrides.unused(keys, mode.keys)
    return values, keys


def test_an_edit_names_its_files_and_settings():
    settings = Settings(8, 2.0, 5, 3, Origin.INVERSION, keeps_unchanged=False)
    values, keys = _given(recipe.edit_command(_RUN, settings, 2, has_region=False))
    assert values["workdir"] == "my runs/a" and keys == {"guidance.weight": 2.0}
    assert (values["input"], values["mask"]) == ("photo.png", "mask.png")
    assert (values["source_mask"], values["keep"]) == ("source_mask.png", "none")
    assert (values["from"], values["num_steps"], values["seed"]) == ("inversion", "8", "6")
    assert values["output"] == "repeated_2.png"


@pytest.mark.parametrize(
    ("has_region", "keep", "origin"), [(False, "unchanged", "photo"), (True, "keep.png", "noise")]
)
def test_a_region_is_kept_around_and_made_from_noise(has_region, keep, origin):
    values, keys = _given(recipe.edit_command(_RUN, Settings(), 1, has_region))
    assert (values["keep"], values["from"], keys) == (keep, origin, {})


def test_an_image_of_a_label():
    values, _ = _given(recipe.generate_command(_RUN, "3", Settings(seed=4), 1))
    assert (values["mode"], values["input"], values["seed"]) == ("generate", "3", "4")


def test_the_json_has_the_sums_of_its_files():
    content = recipe.recipe(["a command"], Settings(), 100, {"mask.png": b"abc"})
    values = json.loads(content)
    assert values["commands"] == ["a command"] and values["model_step"] == 100
    assert values["sha256"]["mask.png"].startswith("ba7816bf8f01cfea414140de5dae2223")
    assert Settings.read(values["settings"]) == Settings()
