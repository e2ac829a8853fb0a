"""Procedurally drawn scenes with masks and labels: the built-in data set, without a download.

A scene has three or four upright shapes of one class each, later ones over earlier ones. All
classes have about the same area, and their colours come from the same distribution, so neither
size nor colour reveals the class.
"""

import dataclasses

import numpy as np

from symmflow_jax.data import source
from symmflow_jax.semantics import labels

SIDE = 32
CLASS_NAMES = ("circle", "square", "triangle", "cross")

_MASK_SCHEMA = labels.consecutive(("background", *CLASS_NAMES))
_LABEL_SCHEMA = labels.consecutive(CLASS_NAMES)

_ROWS, _COLUMNS = np.mgrid[:SIDE, :SIDE].astype(np.float32)

# Extents are in units of the radius of a circle of equal area.
_SQUARE_HALF = 0.886
_TRIANGLE_HALF = 1.253
_CROSS_HALF = 1.189
_HALF_EXTENTS = np.array([1.0, _SQUARE_HALF, _TRIANGLE_HALF, _CROSS_HALF])

_SMALLEST_RADIUS = 5.0
_LARGEST_RADIUS = {3: 7.2, 4: 6.6}  # By the number of shapes.
_CLEARANCE = 0.85  # Distance of two centres over the sum of their radii; below 1 they overlap.
# Shapes are brighter than any background, so their outlines are learned in minutes.
_BACKGROUND_LEVELS = (0, 100)
_SHAPE_LEVELS = (110, 256)
_CONTRAST = 90.0  # Distance of a shape's colour from others in the scene, in 8-bit levels.
_BACKGROUND_CONTRAST = 50.0  # Distance of the two colours of a background pattern.
_NUM_CANDIDATES = 24


@dataclasses.dataclass(frozen=True)
class Shapes:
    """Scenes "image" uint8 `[32, 32, 3]` with "mask" int32 `[32, 32]` and "label" int32 `[]`.

    The classes of the mask are the background and the shapes. The label is the shape class
    (numbered without the background) with the most visible pixels; ties go to the first class. A
    scene depends only on seed, split and index.

    Attributes:
        size: number of scenes, at least 1.
        split: "train" or "test", with different scenes.
        seed: seed of the scenes, at least 0.

    Raises:
        ValueError: if size, split or seed is invalid.
    """

    size: int
    split: str
    seed: int

    def __post_init__(self):
        source.check_drawn(self.size, self.split, self.seed)

    @property
    def schemas(self) -> dict[str, labels.LabelSchema]:
        """The classes of "mask" and of "label"."""
        return {"mask": _MASK_SCHEMA, "label": _LABEL_SCHEMA}

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        if not 0 <= index < self.size:
            raise IndexError(f"Scene {index} is outside 0 to {self.size - 1}.")
        image, mask = draw_scene(source.random_stream(self.seed, self.split, index))
        areas = np.bincount(mask.ravel(), minlength=len(CLASS_NAMES) + 1)
        label = np.argmax(areas[1:])
        return {"image": image, "mask": mask, "label": np.asarray(label, np.int32)}


def draw_scene(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draws a scene, uint8 `[32, 32, 3]`, and its mask, int32 `[32, 32]`."""
    num_shapes = int(rng.integers(3, 5))
    classes = rng.integers(len(CLASS_NAMES), size=num_shapes)
    radii = rng.uniform(_SMALLEST_RADIUS, _LARGEST_RADIUS[num_shapes], num_shapes)
    centres = _place(rng, radii, radii * _HALF_EXTENTS[classes])
    image, background_colours = _draw_background(rng)
    colours = _choose_colours(rng, num_shapes, background_colours)
    mask = np.zeros((SIDE, SIDE), np.int32)
    for shape, radius, centre, colour in zip(classes, radii, centres, colours, strict=True):
        covered = _cover(shape, radius, centre)
        image[covered] = colour
        mask[covered] = shape + 1
    return image.astype(np.uint8), mask


def _place(rng: np.random.Generator, radii: np.ndarray, half_extents: np.ndarray) -> np.ndarray:
    """Centres (row, column) `[shapes, 2]` of shapes inside the image, apart if possible."""
    unit = rng.random((len(radii), _NUM_CANDIDATES, 2))
    margins = half_extents[:, None, None]
    candidates = margins + (SIDE - 1 - 2 * margins) * unit
    centres = candidates[:, 0].copy()
    for i in range(1, len(radii)):
        distances = _distances(candidates[i], centres[:i])
        clearances = np.min(distances / (radii[i] + radii[:i]), axis=1)
        centres[i] = candidates[i][_first_enough(clearances, _CLEARANCE)]
    return centres


def _draw_background(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A background, float `[32, 32, 3]`, and its two similar colours, float `[2, 3]`."""
    first = rng.uniform(*_BACKGROUND_LEVELS, 3)
    direction = rng.normal(size=3)
    offset = _BACKGROUND_CONTRAST * direction / np.linalg.norm(direction)
    colours = np.stack([first, np.clip(first + offset, *_BACKGROUND_LEVELS)])
    weights = _PATTERNS[rng.integers(len(_PATTERNS))](rng)
    return first + weights[..., None] * (colours[1] - first), colours


def _choose_colours(
    rng: np.random.Generator, num_shapes: int, background_colours: np.ndarray
) -> np.ndarray:
    """Random colours `[shapes, 3]`, each different from the background and earlier shapes."""
    candidates = rng.integers(*_SHAPE_LEVELS, size=(num_shapes, _NUM_CANDIDATES, 3))
    colours = np.concatenate([background_colours, np.zeros((num_shapes, 3))])
    for i in range(num_shapes):
        seen = 2 + i
        contrasts = np.min(_distances(candidates[i], colours[:seen]), axis=1)
        colours[seen] = candidates[i][_first_enough(contrasts, _CONTRAST)]
    return colours[2:]


def _cover(shape: int, radius: float, centre: np.ndarray) -> np.ndarray:
    """Pixels that an upright shape covers, bool `[32, 32]`."""
    down, across = _ROWS[:, :1] - centre[0], np.abs(_COLUMNS[:1] - centre[1])
    return _COVERS[shape](down, across, radius)


def _circle(down: np.ndarray, across: np.ndarray, radius: float) -> np.ndarray:
    return down**2 + across**2 <= radius**2


def _square(down: np.ndarray, across: np.ndarray, radius: float) -> np.ndarray:
    return np.maximum(np.abs(down), across) <= _SQUARE_HALF * radius


def _triangle(down: np.ndarray, across: np.ndarray, radius: float) -> np.ndarray:
    half = _TRIANGLE_HALF * radius
    return (across <= (down + half) / 2) & (down <= half)


def _cross(down: np.ndarray, across: np.ndarray, radius: float) -> np.ndarray:
    half, half_width = _CROSS_HALF * radius, _CROSS_HALF * radius / 3
    longer, shorter = np.maximum(np.abs(down), across), np.minimum(np.abs(down), across)
    return (longer <= half) & (shorter <= half_width)


_COVERS = (_circle, _square, _triangle, _cross)
"""In the order of `CLASS_NAMES`."""


def _flat(rng: np.random.Generator) -> np.ndarray:
    del rng
    return np.zeros((SIDE, SIDE))


def _gradient(rng: np.random.Generator) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    ramp = np.cos(angle) * _ROWS + np.sin(angle) * _COLUMNS
    return (ramp - ramp.min()) / (ramp.max() - ramp.min())


def _stripes(rng: np.random.Generator) -> np.ndarray:
    ramp = (_ROWS, _COLUMNS, _ROWS + _COLUMNS, SIDE + _ROWS - _COLUMNS)[rng.integers(4)]
    return ramp // rng.integers(2, 6) % 2


def _checker(rng: np.random.Generator) -> np.ndarray:
    cell = rng.integers(2, 6)
    return (_ROWS // cell + _COLUMNS // cell) % 2


def _noise(rng: np.random.Generator) -> np.ndarray:
    return rng.random((SIDE, SIDE))


_PATTERNS = (_flat, _gradient, _stripes, _checker, _noise)


def _distances(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Euclidean distances `[n, m]` of points `[n, d]` to points `[m, d]`."""
    return np.sqrt(np.square(points[:, None] - others[None]).sum(axis=-1))


def _first_enough(scores: np.ndarray, enough: float) -> int:
    """The first index whose score reaches `enough`, else the index of the highest score."""
    return int(np.argmax(np.minimum(scores, enough)))
