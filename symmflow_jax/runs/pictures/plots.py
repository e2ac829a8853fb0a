"""Plots, rendered as uint8 RGB arrays `[height, width, 3]`."""

import io
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from symmflow_jax.runtime import files
from symmflow_jax.semantics.labels import LabelSchema

_LONGEST_TITLE = 150


def point_plots(sample: dict[str, np.ndarray], schema: LabelSchema) -> np.ndarray:
    """Scatter plots of real points, of points generated from labels, and of predicted labels.

    Only the first two coordinates of a point are shown.
    """
    plt = pyplot()
    panels = [("real", sample["image"], sample["labels"])]
    if "generated" in sample:
        panels.append(("generated from labels", sample["generated"], sample["labels"]))
    if "predicted" in sample:
        panels.append(("labels predicted from real", sample["image"], sample["predicted"]))
    figure, axes = plt.subplots(1, len(panels), figsize=(4 * len(panels), 4), sharex=True)
    colours = np.asarray(plt.get_cmap("tab10").colors)
    for axis, (title, points, labels) in zip(axes, panels, strict=True):
        axis.scatter(*_in_plane(points), s=4, c=colours[labels % len(colours)])
        axis.set_title(title)
        axis.set_aspect("equal")
    size = sample["image"].shape[1]
    shown = f" (the first two of {size} coordinates)" if size > 2 else ""
    title = files.without_surrogates(", ".join(schema.names))
    title = title if len(title) <= _LONGEST_TITLE else f"{title[:_LONGEST_TITLE]}..."
    figure.suptitle(title + shown, parse_math=False)
    return render(figure)


def point_pair(sample: dict[str, np.ndarray]) -> np.ndarray:
    """Scatter plots of real points and of generated ones, by their first two coordinates."""
    plt = pyplot()
    figure, axes = plt.subplots(1, 2, figsize=(8, 4), sharex=True, sharey=True)
    for axis, (title, key) in zip(
        axes, (("real", "image"), ("generated", "generated")), strict=True
    ):
        axis.scatter(*_in_plane(sample[key]), s=4)
        axis.set_title(title)
        axis.set_aspect("equal")
    return render(figure)


def curves(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]], x_label: str
) -> np.ndarray:
    """A line plot of named series of x and y, with a logarithmic y axis."""
    plt = pyplot()
    figure, axis = plt.subplots(figsize=(7, 4))
    for name, (x, y) in series.items():
        axis.plot(x, y, label=name)
    axis.set_yscale("log")
    axis.set_xlabel(x_label)
    axis.grid(alpha=0.3)
    axis.legend()
    return render(figure)


def plain_log_ticks(axis, ticks: Sequence[float]) -> None:
    """Makes the x axis of a plot logarithmic, with plain numbers at these places alone."""
    axis.set_xscale("log")
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set_xticks([], minor=True)


def _in_plane(points: np.ndarray) -> np.ndarray:
    """The first two coordinates `[2, count]` of points `[count, n]`; the second is 0 if n is 1."""
    missing = max(0, 2 - points.shape[1])
    return np.pad(points, ((0, 0), (0, missing)))[:, :2].T


def pyplot():
    """Matplotlib's pyplot without a display, imported late because the import is slow."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def render(figure) -> np.ndarray:
    """Renders a Matplotlib figure as uint8 `[height, width, 3]`, and closes it.

    Letters that its font lacks are drawn as boxes.
    """
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        figure.savefig(buffer, format="png", dpi=100, bbox_inches="tight")
    pyplot().close(figure)
    return np.asarray(Image.open(buffer).convert("RGB"))
