"""The JSON that repeats a result by the command line."""

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import symmflow_jax
from symmflow_jax.runtime import files
from symmflow_jax.studio.settings import Settings

PHOTO, MASK, SOURCE_MASK, KEEP = "photo.png", "mask.png", "source_mask.png", "keep.png"
"""Names of the files of a result, which its commands read."""

RECIPE = "recipe.json"


def variant_name(number: int) -> str:
    """The file name of a variant, which are numbered from 1."""
    return f"picture_{number}.png"


def edit_command(run: Sequence[str], settings: Settings, number: int, has_region: bool) -> str:
    """The command line that makes a variant of an edit from the files of the result.

    Args:
        run: the flags that name the run, such as "--config=..." and "--workdir=...".
        settings: how it was made.
        number: number of the variant, from 1.
        has_region: whether a region was made anew; the rest is in `KEEP`.
    """
    keep = KEEP if has_region else "unchanged" if settings.keeps_unchanged else "none"
    origin = "noise" if has_region else settings.origin.value
    return _command(
        [*run, "--mode=edit", f"--input={PHOTO}", f"--mask={MASK}"]
        + [f"--source_mask={SOURCE_MASK}", f"--keep={keep}", f"--from={origin}"]
        + [*_integration(settings, number), f"--output=repeated_{number}.png"]
    )


def generate_command(run: Sequence[str], condition: str, settings: Settings, number: int) -> str:
    """The command line that makes a variant of a generated image.

    Args:
        run, settings, number: as in `edit_command`.
        condition: a mask's file, or a label.
    """
    flags = ["--mode=generate", f"--input={condition}", *_integration(settings, number)]
    return _command([*run, *flags, f"--output=repeated_{number}"])


def recipe(
    commands: Sequence[str], settings: Settings, step: int, contents: Mapping[str, bytes]
) -> bytes:
    """The content of `RECIPE`.

    Args:
        commands: a command for each variant.
        settings: how they were made.
        step: training steps of the model's weights.
        contents: the files of the result by name.
    """
    values: dict[str, Any] = {
        "made_by": f"symmflow_jax {symmflow_jax.__version__}, --mode=studio",
        "model_step": step,
        "settings": settings.to_json(),
        "commands": list(commands),
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
    }
    return (files.as_json(values, indent=2) + "\n").encode()


def _integration(settings: Settings, number: int) -> list[str]:
    guidance = settings.guidance
    return [
        f"--num_steps={settings.num_steps}",
        f"--seed={settings.seeds[number - 1]}",
        *([f"--config.guidance.weight={guidance:g}"] if guidance != 1.0 else []),
    ]


def _command(arguments: Sequence[str]) -> str:
    return shlex.join(["python", "-m", "symmflow_jax.main", *arguments])
