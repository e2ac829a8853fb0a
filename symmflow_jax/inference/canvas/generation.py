"""Images of masks of any size, larger than those of the training."""

import jax
import numpy as np

from symmflow_jax.data import transforms
from symmflow_jax.data.geometry.canvas import Canvas, View
from symmflow_jax.data.geometry.fit import Box, Placement, Size
from symmflow_jax.flow.guidance import NO_GUIDANCE, Guidance
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.inference.canvas.limits import check_whole
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.methods.weights import Weights


def generate_on_canvas(
    method: SymmFlow,
    weights: Weights,
    mask: np.ndarray,
    noise: tuple[jax.Array, int],
    view: View,
    solve: Solve,
    guidance: Guidance = NO_GUIDANCE,
) -> np.ndarray:
    """Generates the image of a mask of any size.

    Where the canvas has several windows, they are denoised together, from one noise under one mask
    (`flow.windows.JointWindows`). Each size of a canvas is compiled once.

    Args:
        method: the method.
        weights: weights of its network and codec.
        mask: int `[height, width]`.
        noise: the key and the example index that the noise comes from.
        view: the scale of the image, and its windows; of `view.scales` the first counts.
        solve: the solver.
        guidance: classifier-free guidance towards the mask; none by default.

    Returns:
        uint8 `[height, width, channels]`, in the size of the mask times the scale.

    Raises:
        ValueError: if the mask cannot be shown by this view; if the guidance has a weight but the
            network has one clock.
    """
    window = method.codec.image_shape[:2]
    canvas = view.canvases((mask.shape[0], mask.shape[1]), (window[0], window[1]))[0]
    placed = _mask_on_canvas(
        mask, canvas, method.codec.image_shape[0] // method.codec.shapes.image[0]
    )
    method = method_on_canvas(method, canvas, (placed.shape[0], placed.shape[1]), view.overlap)
    key, index = noise
    made = predictions.generate(
        method, weights, key, np.asarray([index]), placed[None], solve, guidance
    )
    target = canvas.placement.target
    return np.asarray(made.images[0])[target.rows, target.columns]


def method_on_canvas(method: SymmFlow, canvas: Canvas, size: Size, overlap: float) -> SymmFlow:
    """The method for images of a canvas: the network in one pass, or in windows of its own size.

    Args:
        method: the method.
        canvas: the canvas.
        size: its height and width in pixels, perhaps filled up.
        overlap: share of a window that the next one covers.

    Raises:
        ValueError: if the canvas is too large for one pass.
    """
    if canvas.window != method.codec.image_shape[:2]:
        check_whole(method, size)
        return method.resized(*size)
    return method.on_canvas(*size, overlap)


def _mask_on_canvas(mask: np.ndarray, canvas: Canvas, multiple: int) -> np.ndarray:
    """The mask of a canvas, int32, whose sides the mirrored mask fills up to a multiple."""
    placement = canvas.placement
    if canvas.mirrors:
        content = placement.target.size
        placement = Placement(placement.source, Box.whole(content), content)
    placed = transforms.place_mask(mask, placement)
    sides = [-(-side // multiple) * multiple for side in canvas.size]
    missing = [(0, full - side) for full, side in zip(sides, placed.shape, strict=True)]
    return np.pad(placed, missing, mode="symmetric")
