"""Edits of photos by new masks or labels."""

import pathlib
from typing import TYPE_CHECKING

from absl import flags

from symmflow_jax.commands.flags import integration, paths, views
from symmflow_jax.commands.mode import FILES, INTEGRATION, MODEL_KEYS, Mode
from symmflow_jax.config import command_line
from symmflow_jax.config.command_line import path_flag
from symmflow_jax.config.reading.range_flags import define_number
from symmflow_jax.config.schema.ranges import at_least, between
from symmflow_jax.runtime.storage import place

if TYPE_CHECKING:
    from symmflow_jax.config.build.experiment import Experiment
    from symmflow_jax.inference.editing import Keep
    from symmflow_jax.methods.editing import Editing

_MASK = flags.DEFINE_string(
    "mask", "", "New mask of the photo, or a folder with one for each photo."
)
_SOURCE_MASK = flags.DEFINE_string(
    "source_mask",
    "",
    "Old mask of the photo, or a folder of them; none does without. The model reads it itself if "
    "it is not given.",
)
_TO = flags.DEFINE_string("to", "", "New class of the photos, by name or number (labels).")
_SOURCE = flags.DEFINE_string(
    "source",
    "",
    "Old class of the photos, by name or number; none does without (labels). The model reads it "
    "itself if it is not given.",
)
_KEEP = flags.DEFINE_string(
    "keep",
    "",
    "Pixels that stay exactly as they are: unchanged (those whose class stays, the default for "
    "masks), none, or an image or a folder of them whose pixels above 0 are kept.",
)
_FROM = flags.DEFINE_enum(
    "from",
    "photo",
    ["photo", "noise", "inversion"],
    "Where an edited photo comes from: the photo itself; noise, beside the kept pixels; or the "
    "noise that the flow leads the photo to.",
)
_STRENGTH = define_number(
    "strength",
    1.0,
    "Part of the path from noise that an edit from the photo takes; less of it moves less "
    "(docs/editing.md has what it costs).",
    float,
    between(0.01, 1),
)
_NUM_NOISES = define_number(
    "num_noises",
    1,
    "Noise samples in each step of an edit from the photo, averaged.",
    int,
    at_least(1),
)
_SHEET = flags.DEFINE_bool(
    "sheet",
    False,
    "Also write sheet.png: photo, mask, new mask, generated, edited and kept of ten photos.",
)

_NO_SOURCE = "none"


def _edit(experiment: "Experiment", workdir: pathlib.Path) -> None:
    """Takes guidance from the command line alone, since it costs fidelity."""
    from symmflow_jax.inference.editing import Source
    from symmflow_jax.inference.files.editing.photos import Wanted, edit_files

    num_steps = integration.num_steps(experiment, 25)
    model = integration.load(experiment, workdir)
    without = _NO_SOURCE in (_SOURCE_MASK.value, _SOURCE.value)
    edit_files(
        model,
        paths.input_files(),
        paths.output(workdir / "edit"),
        Wanted(
            masks=_files(_MASK),
            source_masks="" if _SOURCE_MASK.value == _NO_SOURCE else _files(_SOURCE_MASK),
            label=_TO.value or "",
            source_label="" if without else _SOURCE.value or "",
            keep=_kept(),
            source=Source.NONE if without else Source.READ,
            editing=_editing(experiment, num_steps),
            view=views.view_of_masks(model),
        ),
        model.experiment.solver(integration.SOLVER.value, num_steps or 1),
        seed=integration.SEED.value or 0,
        sheet=bool(_SHEET.value),
        overwrite=bool(paths.OVERWRITE.value),
    )


def _editing(experiment: "Experiment", num_steps: int | None) -> "Editing":
    from symmflow_jax.flow.guidance import NO_GUIDANCE
    from symmflow_jax.methods.editing import Editing, Origin

    given = any(key.startswith("guidance.") for key in command_line.given_keys())
    origin = Origin(_FROM.value)
    for flag in (_STRENGTH, _NUM_NOISES):
        if flags.FLAGS[flag.name].present and origin is not Origin.PHOTO:
            raise ValueError(
                f"--{flag.name} is for --from=photo, not {origin.value}; leave it out."
            )
    return Editing(
        origin,
        start=1.0 - (_STRENGTH.value or 1.0),
        num_noises=_NUM_NOISES.value or 1,
        guidance=experiment.guidance(num_steps) if given else NO_GUIDANCE,
    )


def _kept() -> "Keep | str | None":
    """A rule, a path, or None if nothing is said."""
    from symmflow_jax.inference.editing import Keep

    if _KEEP.value in {rule.value for rule in Keep}:
        return Keep(_KEEP.value)
    return _files(_KEEP) or None


def _files(flag: "flags.FlagHolder[str]") -> str:
    """The value of a flag that names files; raises ValueError for a bucket."""
    text = path_flag(flag) or ""
    place.local(text, f"--{flag.name}", "Copy the files to a disk, and give their folder there.")
    return text


EDIT = Mode(
    _edit,
    "edits photos by new masks or labels",
    (
        *("input", *FILES, *INTEGRATION, "mask", "source_mask", "to", "source", "keep", "from"),
        *("strength", "num_noises", "sheet", *views.MAKING),
    ),
    (*MODEL_KEYS, "guidance"),
)
