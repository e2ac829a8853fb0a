"""Flags of how images and masks of any size are shown to a model of one size."""

from typing import TYPE_CHECKING

from absl import flags

from symmflow_jax.config.reading.range_flags import define_number
from symmflow_jax.config.schema.ranges import OVERLAP, above

if TYPE_CHECKING:
    from symmflow_jax.data.geometry.canvas import View
    from symmflow_jax.inference.model import Model

_FIT = flags.DEFINE_string(
    "fit",
    "",
    "How images of any size are read, or made of masks of any size: tiles (windows of the model's "
    "size, blended), whole (one pass), crop, letterbox or stretch; by default as the run was "
    "trained (docs/any_size.md).",
)
_OVERLAP = define_number(
    "overlap",
    None,
    "Share of a window that the next one covers; 0.5 if it is not given.",
    float,
    OVERLAP,
)
_SCALE = define_number(
    "scale",
    None,
    "Pixels of the model for each pixel of an image or mask, for --fit=tiles and whole; that of "
    "the training if it is not given.",
    float,
    above(0),
)
_SCALES = flags.DEFINE_list(
    "scales",
    None,
    "Factors of the scale at which images are read, such as 0.75,1,1.25; the answers are averaged.",
)
_FLIPS = flags.DEFINE_bool(
    "flips", False, "Also read the mirror image of each window, and average the answers."
)

MAKING = ("fit", "overlap", "scale")
"""Flags of images that are made."""

READING = (*MAKING, "scales", "flips")
"""Flags of images that are read."""


def view(model: "Model") -> "View":
    """The view of the flags; raises ValueError if they do not fit together, or the model."""
    return model.experiment.view(
        model.native_scale,
        fit=_FIT.value,
        overlap=_OVERLAP.value,
        scale=_SCALE.value,
        scales=None if _SCALES.value is None else _factors(_SCALES.value),
        flips=_FLIPS.value,
        prefix="--",
    )


def view_of_masks(model: "Model") -> "View | None":
    """The view of masks to make images of; None, for the model's size, without any flag."""
    given = any(flags.FLAGS[name].present for name in MAKING)
    return view(model) if given else None


def _factors(texts: list[str]) -> tuple[float, ...]:
    try:
        return tuple(float(text) for text in texts)
    except ValueError:
        raise ValueError(
            f"--scales is {','.join(texts)}; give numbers separated by commas, such as 0.75,1,1.25."
        ) from None
