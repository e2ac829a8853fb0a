"""Table of views: how masks of images of any size are read."""

import dataclasses
from collections.abc import Sequence

from symmflow_jax.config.choices import Choice, choose
from symmflow_jax.config.schema import ranges
from symmflow_jax.config.schema.ranges import OVERLAP, above
from symmflow_jax.config.values import Config
from symmflow_jax.data.geometry.canvas import View


@dataclasses.dataclass(frozen=True)
class ViewChoice(Choice):
    """A layout of canvases.

    Attributes:
        takes: the options of a view that it uses, of "overlap", "scale" and "scales".
    """

    takes: frozenset[str] = frozenset()


VIEWS: dict[str, ViewChoice] = {
    "tiles": ViewChoice(
        "symmflow_jax.data.geometry.canvas:tiled",
        "windows of the model's size over the whole image, blended",
        takes=frozenset({"overlap", "scale", "scales"}),
    ),
    "whole": ViewChoice(
        "symmflow_jax.data.geometry.canvas:whole",
        "the whole image in one pass of the network",
        takes=frozenset({"scale", "scales"}),
    ),
    "crop": ViewChoice(
        "symmflow_jax.data.geometry.canvas:covered",
        "the image as large as training crops it; windows along its longer side, blended",
        takes=frozenset({"overlap", "scales"}),
    ),
    "letterbox": ViewChoice(
        "symmflow_jax.data.geometry.canvas:letterboxed",
        "the whole image in one window with its aspect ratio, on a grey ground",
    ),
    "stretch": ViewChoice(
        "symmflow_jax.data.geometry.canvas:stretched",
        "the whole image in one window, whatever its aspect ratio",
    ),
}
"""The values of `config.eval.fit` and of `--fit`."""

OPTIONS = frozenset({"overlap", "scale", "scales"})
"""The options of a view that only some layouts use."""


def make_view(
    config: Config,
    native_scale: float | None,
    *,
    fit: str = "",
    overlap: float | None = None,
    flips: bool = False,
    scale: float | None = None,
    scales: Sequence[float] | None = None,
    prefix: str = "",
) -> View:
    """Makes a view.

    Args:
        config: the config of the run, for its own fit.
        native_scale: the scale that the run was trained at; None if it is not known.
        fit: name of the view; "" takes that of the run.
        overlap, flips, scale, scales: attributes of `View`; None takes the default.
        prefix: what stands before the name of an option in messages, such as "--".

    Raises:
        ValueError: if there is no such view, it does not use an option that is given, a value is
            out of its range, or the scale is not known.
    """
    name = fit or default_view(config)
    choice = choose(VIEWS, name, f"{prefix}fit")
    given = {"overlap": overlap, "scale": scale, "scales": scales}
    for option, value in given.items():
        if value is not None and option not in choice.takes:
            users = [other for other, view in VIEWS.items() if option in view.takes]
            raise ValueError(
                f"{prefix}{option} is {value}, but {prefix}fit={name} does not use it; leave it "
                f"out, or choose {' or '.join(users)}."
            )
    overlap = 0.5 if overlap is None else overlap
    scales = (1.0,) if scales is None else tuple(scales)
    ranges.check(f"{prefix}overlap", (overlap,), OVERLAP)
    ranges.check(f"{prefix}scales", scales, above(0), scales)
    if not scales:
        raise ValueError(f"{prefix}scales is empty; give factors such as 0.75,1,1.25.")
    if "scale" in choice.takes:
        scale = native_scale if scale is None else scale
        if scale is None:
            raise ValueError(
                f"{prefix}fit={name} reads images at the scale of the training, which this run "
                f"does not tell, as those of earlier versions; give {prefix}scale, such as "
                f"{prefix}scale=1 for images like those it was trained on, at their own size."
            )
        ranges.check(f"{prefix}scale", (scale,), above(0))
    return View(name, choice.resolve(), overlap, flips, 1.0 if scale is None else scale, scales)


def default_view(config: Config) -> str:
    """The view of the geometry that a run was trained with."""
    return "tiles" if config.data.random_scale else config.data.fit


def make_evaluation_view(config: Config, native_scale: float | None) -> View | None:
    """The view of `config.eval.fit`; None if it is "". Errors as `make_view`."""
    values = config.eval
    if not values.fit:
        return None
    given = {option: getattr(values, option) for option in VIEWS[values.fit].takes}
    return make_view(
        config,
        native_scale,
        fit=values.fit,
        flips=values.flips,
        prefix="config.eval.",
        **given,
    )
