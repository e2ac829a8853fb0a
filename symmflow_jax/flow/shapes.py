"""Array types that name a shape and a dtype, as jaxtyping writes them.

Axes of one name have one length within a call. The names are documentation in production: only
the tests check them, with beartype (see `tests/conftest.py`), as in diffrax.
"""

import numpy as np
from jaxtyping import Array, Float, Integer, Key

AnyArray = Array | np.ndarray
"""An array of JAX or NumPy."""

Component = Float[Array, "batch *shape"]
"""A batch of one component of the joint state: an image, semantics, their noise or velocity."""

Image = Float[Array, "batch *image"]
"""The image component, where it meets semantics of another shape."""

Semantics = Float[Array, "batch *semantics"]
"""The semantics component, where it meets images of another shape."""

Scalar = Float[Array, ""]
"""A single number."""

PerExample = Float[Array, " batch"]
"""One number for each example."""

Time = Scalar | PerExample
"""One time in [0, 1] for all examples, or one for each."""

ExampleKeys = Key[Array, " batch"]
"""One typed key for each example."""

Labels = Integer[Array, "batch *labels"]
"""Classes: `[batch]`, or `[batch, height, width]` for masks."""

Grid = Float[Array, "batch height width channels"]
"""Images or features on a grid."""

NetworkTimes = Float[AnyArray, " batch"] | Float[AnyArray, "batch times"]
"""The times of each example: one for both components (`[batch]` or `[batch, 1]`), one for its
image and one for its semantics, or these and the span of a jump."""
