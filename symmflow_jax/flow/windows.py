"""Windows over a canvas that is larger than the network's images, and their weights.

Windows have the size that the network was trained on. Each pixel gets the weighted mean of what the
windows over it say. The weights fall from a window's centre to its edges like a Gaussian, as in
nnU-Net (Isensee et al. 2021), because a network knows least at the edges, where it sees one side
only.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.flow.clocks import Velocity
from symmflow_jax.flow.shapes import Scalar
from symmflow_jax.flow.state import JointState

MOST_OVERLAP = 0.9
"""The largest share of a window that the next one may cover."""

_SIGMA = 1 / 8  # Standard deviation of the weights in units of a window's side.
_SMALLEST = 1e-3  # Of the weights along an axis, so that windows without overlap count too.


def starts(length: int, window: int, overlap: float) -> tuple[int, ...]:
    """First pixel of each window along one axis; the last window ends with the axis.

    Args:
        length: pixels of the canvas, at least those of a window.
        window: pixels of a window.
        overlap: share of a window that the next one covers, in [0, `MOST_OVERLAP`].

    Raises:
        ValueError: if the canvas is smaller than a window, or the overlap is out of its range.
    """
    if not 0.0 <= overlap <= MOST_OVERLAP:
        raise ValueError(
            f"The overlap of windows is {overlap:g}; it must be at least 0 and at most "
            f"{MOST_OVERLAP:g}, such as 0.5."
        )
    if length < window:
        raise ValueError(f"A canvas of {length} pixels is smaller than a window of {window}.")
    stride = max(1, round(window * (1.0 - overlap)))
    return (*range(0, length - window, stride), length - window)


def weights(length: int, window: int, overlap: float) -> np.ndarray:
    """Weight of each pixel of each window along one axis, float32 `[windows, window]`.

    At every pixel of the canvas, the weights of the windows over it add up to 1. The weight in two
    dimensions is the product of both axes.

    Args:
        length, window, overlap: as in `starts`.
    """
    first = np.asarray(starts(length, window, overlap))
    offsets = np.arange(window) - (window - 1) / 2
    bell = np.maximum(np.exp(-0.5 * np.square(offsets / (_SIGMA * window))), _SMALLEST)
    total = np.zeros(length)
    for start in first:
        total[start : start + window] += bell
    return (bell / total[first[:, None] + np.arange(window)]).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class JointWindows:
    """Denoises a canvas by windows of the network's size that all move at once.

    The velocity of the canvas is `v(x) = sum_i w_i R_i^T v(R_i x)`, where `R_i` cuts window i and
    the weights w add up to 1 at each pixel (MultiDiffusion, Bar-Tal et al. 2023, arXiv
    2302.08113). All windows see one canvas with one noise, so they agree where they overlap.

    Attributes:
        size: height and width of the canvas, in pixels of the flow's components.
        window: height and width that the network was trained on.
        overlap: share of a window that the next one covers, in [0, `MOST_OVERLAP`].
        windows_per_pass: windows of all examples that go through the network together; it bounds
            the memory.
    """

    size: tuple[int, int]
    window: tuple[int, int]
    overlap: float = 0.5
    windows_per_pass: int = 16

    @property
    def count(self) -> int:
        """Number of windows."""
        rows, columns = self._starts
        return len(rows) * len(columns)

    @property
    def _starts(self) -> tuple[tuple[int, ...], ...]:
        axes = zip(self.size, self.window, strict=True)
        return tuple(starts(length, window, self.overlap) for length, window in axes)

    def __call__(self, velocity: Velocity) -> Velocity:
        """The velocity of a canvas, whose components are float `[batch, *size, channels]`.

        Args:
            velocity: the network with its parameters bound.
        """
        plan = self._plan()

        def joint(state: JointState, times: JointState, *span: Scalar) -> JointState:
            batch = state.image.shape[0]
            of_pass = max(1, min(self.windows_per_pass // batch, self.count))
            corners, bells = _in_passes(plan, of_pass)
            repeated = jax.tree.map(
                lambda t: jnp.tile(jnp.broadcast_to(t, (batch,)), of_pass), (times, *span)
            )

            def add_pass(total: JointState, one_pass: tuple[jax.Array, jax.Array]):
                corner, bell = one_pass
                cut = jax.tree.map(lambda canvas: self._cut(canvas, corner), state)
                said = velocity(cut, *repeated)
                add = functools.partial(self._add, corners=corner, bells=bell)
                return jax.tree.map(add, total, said), None

            zeros = jax.tree.map(jnp.zeros_like, state)
            return jax.lax.scan(add_pass, zeros, (corners, bells))[0]

        return joint

    def _plan(self) -> tuple[np.ndarray, np.ndarray]:
        """Corners int32 `[count, 2]` and weights float32 `[count, *window, 1]` of all windows."""
        rows, columns = self._starts
        down, across = (
            weights(length, window, self.overlap)
            for length, window in zip(self.size, self.window, strict=True)
        )
        corners = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)
        bells = down[:, None, :, None] * across[None, :, None, :]
        return corners.astype(np.int32), bells.reshape(len(corners), *self.window, 1)

    def _cut(self, canvas: jax.Array, corners: jax.Array) -> jax.Array:
        """Windows float `[windows * batch, *window, channels]` of a canvas."""
        batch, channels = canvas.shape[0], canvas.shape[-1]

        def one(corner: jax.Array) -> jax.Array:
            start, size = (0, corner[0], corner[1], 0), (batch, *self.window, channels)
            return jax.lax.dynamic_slice(canvas, start, size)

        return jax.vmap(one)(corners).reshape(-1, *self.window, channels)

    def _add(
        self, total: jax.Array, said: jax.Array, *, corners: jax.Array, bells: jax.Array
    ) -> jax.Array:
        """Adds weighted windows to a canvas."""
        said = said.reshape(len(corners), total.shape[0], *self.window, total.shape[-1])

        def one(index: jax.Array, total: jax.Array) -> jax.Array:
            start = (0, corners[index, 0], corners[index, 1], 0)
            before = jax.lax.dynamic_slice(total, start, said.shape[1:])
            after = before + bells[index][None] * said[index]
            return jax.lax.dynamic_update_slice(total, after, start)

        return jax.lax.fori_loop(0, len(corners), one, total)


def _in_passes(plan: tuple[np.ndarray, np.ndarray], of_pass: int) -> tuple[jax.Array, jax.Array]:
    """Windows in equal groups `[passes, of_pass, ...]`; missing ones have the weight 0."""
    corners, bells = plan
    missing = -len(corners) % of_pass
    corners = np.concatenate([corners, np.repeat(corners[:1], missing, axis=0)])
    bells = np.concatenate([bells, np.zeros((missing, *bells.shape[1:]), bells.dtype)])

    def grouped(array: np.ndarray) -> jax.Array:
        return jnp.asarray(array.reshape(-1, of_pass, *array.shape[1:]))

    return grouped(corners), grouped(bells)
