"""Masks of images of any size, by windows that fill batches across the images."""

import collections
import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image
from PIL.Image import Resampling

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data import transforms
from symmflow_jax.data.batch import Images, Pixels, Signals
from symmflow_jax.data.geometry.canvas import Canvas, View
from symmflow_jax.data.geometry.fit import Box, Placement
from symmflow_jax.flow import keys
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.inference.canvas.blending import Answers, Blend
from symmflow_jax.inference.canvas.limits import check_whole
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.inference.compiled.predictions import SemanticsPrediction
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.methods.weights import Weights
from symmflow_jax.semantics.encoding import ProbabilityEncoding

BATCH_SIZE = 16
"""Windows that go through the network together."""

Picture = Image.Image | np.ndarray
"""A Pillow image, or an array `[height, width, channels]`: uint8, or float in [-1, 1]."""

Noise = tuple[jax.Array, int]
"""The key and the example index that the noise of a picture comes from."""


class MaskReading(NamedTuple):
    """The mask of a picture in its own size.

    Attributes:
        labels: int32 `[height, width]`.
        confidence: float32 `[height, width]` in [0, 1].
        entropy: float32 `[height, width]`, in nats, of the blended probabilities or votes.
        probabilities: float16 `[height, width, classes]`, if they are asked for.
        nfe: number of network passes, over all windows and draws.
        picture: the picture.
    """

    labels: np.ndarray
    confidence: np.ndarray
    entropy: np.ndarray
    probabilities: np.ndarray | None
    nfe: int
    picture: Picture

    def answers(self, min_confidence: float) -> np.ndarray:
        """The labels, with `UNSURE` where the confidence is below a bound in [0, 1].

        Raises:
            ValueError: if the bound is out of its range.
        """
        return predictions.answers(self.labels, self.confidence, min_confidence)


@dataclasses.dataclass(frozen=True)
class Reader:
    """A method with its weights, which reads masks.

    Attributes:
        method: the method.
        weights: weights of its network and codec.
        num_classes: number of classes.
        mirrored: pairs of classes that mirroring exchanges.
        resampling: filter that resizes pictures.
    """

    method: SymmFlow
    weights: Weights
    num_classes: int
    mirrored: tuple[tuple[int, int], ...] = ()
    resampling: Resampling = Resampling.BICUBIC

    def read(
        self,
        pictures: Iterable[Picture],
        noise: Callable[[int], Noise],
        view: View,
        solve: Solve,
        ensemble_size: int = 1,
        *,
        clip: bool = False,
        with_probabilities: bool = False,
    ) -> Iterator[MaskReading]:
        """Yields the mask of each picture, in order.

        Windows of several pictures share a batch, so pictures are read ahead of the masks. No mask
        depends on other pictures. One program is compiled for all sizes, except for a view of
        whole images, which has one for each size of a canvas.

        Args:
            pictures: pictures of any sizes.
            noise: the origin of the noise of a picture by its number. A picture of one window has
                the noise of `predictions.predict_semantics` with this key and index.
            view: how they are read.
            solve: the solver.
            ensemble_size: number of noise samples for each window.
            clip: clip the continuous semantics to [-1, 1] before they are decoded.
            with_probabilities: whether readings have the probabilities; only of one-hot codes.

        Raises:
            ValueError: if a picture cannot be read by this view.
        """
        votes = not isinstance(self.method.codec.encoding, ProbabilityEncoding)
        jobs: collections.deque[_Job] = collections.deque()
        waiting: list[_Window] = []

        def run() -> None:
            options = {"solve": solve, "ensemble_size": ensemble_size, "clip": clip}
            self._run(waiting, **options)
            waiting.clear()

        for number, picture in enumerate(pictures):
            job = self._job(picture, noise(number), view, votes, with_probabilities)
            jobs.append(job)
            for window in job.windows():
                if waiting and waiting[0].kind != window.kind:
                    run()
                waiting.append(window)
                if len(waiting) == self._batch_size(window):
                    run()
            while jobs and jobs[0].blend.is_complete:
                yield jobs.popleft().reading
        if waiting:
            run()
        for job in jobs:
            yield job.reading

    def canvases(self, picture: Picture, view: View) -> tuple[Canvas, ...]:
        """The canvases of a picture; raises ValueError if it cannot be read by this view."""
        shape, window = transforms.image_size(picture), self.method.codec.image_shape[:2]
        canvases = view.canvases((shape[0], shape[1]), (window[0], window[1]))
        for canvas in canvases:
            if canvas.window != window:
                check_whole(self.method, canvas.window)
        return canvases

    def _job(
        self, picture: Picture, noise: Noise, view: View, votes: bool, with_probabilities: bool
    ) -> "_Job":
        canvases = self.canvases(picture, view)
        height, width = transforms.image_size(picture)
        channels = self.method.codec.image_shape[-1]
        blend = Blend(
            canvases,
            view.overlap,
            (height, width),
            self.num_classes,
            votes=votes,
            passes=2 if view.flips else 1,
            keeps_probabilities=with_probabilities,
        )
        drawn = [_on_canvas(picture, canvas, channels, self.resampling) for canvas in canvases]
        return _Job(picture, noise, blend, drawn, view.flips)

    def _batch_size(self, window: "_Window") -> int:
        is_trained_size = window.pixels.shape[:2] == self.method.codec.image_shape[:2]
        return BATCH_SIZE if is_trained_size else 1

    def _run(self, waiting: Sequence["_Window"], **options) -> None:
        """Reads a batch of windows and hands the answers to their pictures."""
        size = self._batch_size(waiting[0])
        full = [*waiting, *([waiting[0]] * (size - len(waiting)))]
        pixels = np.stack([window.pixels for window in full])
        method = self.method
        if pixels.shape[1:3] != method.codec.image_shape[:2]:
            method = method.resized(*pixels.shape[1:3])
        image: Images = Pixels(pixels) if pixels.dtype == np.uint8 else Signals(pixels)
        result = predictions.predict_semantics(
            method,
            self.weights,
            _noise_keys(full),
            np.asarray([window.job.noise[1] for window in full], np.int32),
            image,
            **options,
        )
        # The continuous semantics stay on the device.
        result = jax.tree.map(np.asarray, result._replace(signal=np.zeros(size)))
        for index, window in enumerate(waiting):
            window.job.add(window, jax.tree.map(lambda a, i=index: a[i], result), self.mirrored)


def reader_of(experiment: Experiment, weights: Weights) -> Reader:
    """The reader of an experiment."""
    schema = experiment.schema
    return Reader(
        experiment.method,
        weights,
        schema.num_classes,
        schema.mirrored,
        experiment.preparation.resampling,
    )


@dataclasses.dataclass(frozen=True)
class _Window:
    """A window of a picture that waits to be read.

    Attributes:
        job: the picture.
        layer: number of its canvas.
        index: number of the window there.
        is_mirrored: whether `pixels` are the mirror image.
        pixels: `[height, width, channels]`.
    """

    job: "_Job"
    layer: int
    index: int
    is_mirrored: bool
    pixels: np.ndarray

    @property
    def kind(self) -> tuple:
        """What windows of one batch have in common."""
        return self.pixels.shape, self.pixels.dtype

    @property
    def number(self) -> int:
        """A number of its place, from which its noise comes; 0 for a picture's first window."""
        if (self.layer, self.index, self.is_mirrored) == (0, 0, False):
            return 0
        return keys.number_of(f"window {self.layer} {self.index} {self.is_mirrored}")


@dataclasses.dataclass
class _Job:
    """A picture that is being read.

    Attributes:
        picture: the picture.
        noise: the origin of its noise.
        blend: its answers so far.
        canvases: its pixels at each scale.
        flips: whether mirror images are read too.
        nfe: network passes so far.
    """

    picture: Picture
    noise: Noise
    blend: Blend
    canvases: list[np.ndarray]
    flips: bool
    nfe: int = 0

    @functools.cached_property
    def key_data(self) -> np.ndarray:
        """The numbers of the key of its noise, uint32."""
        return np.asarray(jax.random.key_data(self.noise[0]))

    def windows(self) -> Iterator[_Window]:
        """The windows, from the top of the picture to its bottom."""
        places = [
            (top / layer.canvas.size[0], number, index, (top, left))
            for number, layer in enumerate(self.blend.layers)
            for index, (top, left) in enumerate(layer.corners)
        ]
        for _, number, index, (top, left) in sorted(places, key=lambda place: place[:3]):
            height, width = self.blend.layers[number].canvas.window
            pixels = self.canvases[number][top : top + height, left : left + width]
            yield _Window(self, number, index, False, pixels)
            if self.flips:
                yield _Window(self, number, index, True, pixels[:, ::-1])

    def add(
        self, window: _Window, result: SemanticsPrediction, mirrored: tuple[tuple[int, int], ...]
    ) -> None:
        """Adds the answers of a window, those of a mirror image mirrored back."""
        layer = self.blend.layers[window.layer]
        self.nfe += int(result.nfe)
        if result.probabilities is not None:
            probabilities = np.asarray(result.probabilities)
            if window.is_mirrored:
                order = transforms.exchanged(np.arange(probabilities.shape[-1]), mirrored)
                probabilities = probabilities[:, ::-1][..., order]
            layer.add_probabilities(window.index, probabilities)
        else:
            labels = [result.labels, *np.asarray(result.votes)]
            sure = np.asarray(result.confidence)
            if window.is_mirrored:
                labels = [transforms.flip_labels(label, mirrored) for label in labels]
                sure = sure[:, ::-1]
            winner, *votes = labels
            layer.add_votes(window.index, np.stack(votes), winner, sure)
        self.blend.advance()

    @property
    def reading(self) -> MaskReading:
        """The mask, once all windows are read."""
        answers: Answers = self.blend.answers
        return MaskReading(*answers, self.nfe, self.picture)


def _noise_keys(windows: Sequence[_Window]) -> jax.Array:
    """The key `[batch]` of each window."""
    data = np.stack([window.job.key_data for window in windows])
    numbers = np.asarray([window.number for window in windows], np.int32)
    return _children(data, numbers, jax.random.key_impl(windows[0].job.noise[0]))


@functools.partial(jax.jit, static_argnums=2)
def _children(data: jax.Array, numbers: jax.Array, impl: Any) -> jax.Array:
    """The child of each key under a number, or the key itself under 0."""
    parents = jax.random.wrap_key_data(data, impl=impl)
    children = jax.random.key_data(jax.vmap(keys.fold_in)(parents, numbers))
    return jax.random.wrap_key_data(jnp.where((numbers == 0)[:, None], data, children), impl=impl)


def _on_canvas(
    picture: Picture, canvas: Canvas, channels: int, resampling: Resampling
) -> np.ndarray:
    """The pixels of a canvas, `[*canvas.size, channels]`, uint8 or float32 as the picture's."""
    placement = canvas.placement
    if canvas.mirrors:
        content = placement.target.size
        placement = Placement(placement.source, Box.whole(content), content)
    if isinstance(picture, np.ndarray) and np.issubdtype(picture.dtype, np.floating):
        drawn = transforms.place_signal(picture, placement, resampling)
    else:
        drawn = transforms.place_image(picture, placement, channels, resampling)
    missing = [(0, full - side) for full, side in zip(canvas.size, drawn.shape[:2], strict=True)]
    return np.pad(drawn, (*missing, (0, 0)), mode="symmetric") if any(map(sum, missing)) else drawn
