"""Random keys: one for each example and use, so that no result depends on batches or devices.

A key is consumed by one draw, or it is the parent of other keys, but never both. The children of
a key are all of one kind: named streams, steps, draws or examples. So no two uses share a key.
"""

import enum
import zlib

import jax
from jaxtyping import Array, Integer, Key

from symmflow_jax.flow.shapes import AnyArray, Component, ExampleKeys


class Stream(enum.Enum):
    """The named uses of random numbers; a stream's number comes from its name."""

    # Children of a run's seed.
    INIT = "init"
    TRAINING = "training"
    EVALUATION = "evaluation"
    DRAWN_BATCHES = "drawn_batches"
    FINETUNING = "finetuning"
    # Children of the key of a prediction.
    GENERATION = "generation"
    RECOGNITION = "recognition"
    SAMPLING = "sampling"
    OBJECTIVE = "objective"
    LIKELIHOOD = "likelihood"
    PROBES = "probes"
    EDITING = "editing"
    # Children of an example's key.
    IMAGE_ENCODING = "image_encoding"
    SEMANTICS_ENCODING = "semantics_encoding"
    TIMES = "times"
    IMAGE_NOISE = "image_noise"
    SEMANTICS_NOISE = "semantics_noise"
    UNCONDITIONAL_NOISE = "unconditional_noise"
    EDITING_NOISE = "editing_noise"
    DROPOUT = "dropout"
    COUPLING = "coupling"
    # Children of the key of an encoding.
    DEQUANTIZATION = "dequantization"
    POSTERIOR = "posterior"
    UNKNOWN_PIXELS = "unknown_pixels"
    # Children of the key of an example's times.
    CLOCK = "clock"
    IMAGE_TIME = "image_time"
    SEMANTICS_TIME = "semantics_time"
    JUMP = "jump"


def stream(key: Key[Array, "*shape"], name: Stream | str) -> Key[Array, "*shape"]:
    """The child of each key for one use.

    Args:
        key: typed keys of any shape. They are not consumed.
        name: the use. Uses that are named elsewhere, such as network layers, pass a string.

    Returns:
        keys of the same shape.
    """
    text = name.value if isinstance(name, Stream) else name
    return fold_in(key, number_of(text))


def number_of(name: str) -> int:
    """The number of a use that has a name, int32, not negative; see `stream`."""
    return zlib.crc32(name.encode()) & 0x7FFFFFFF


def fold_in(key: Key[Array, "*shape"], number: Integer[AnyArray, ""] | int) -> Key[Array, "*shape"]:
    """The child of each key under one number, for typed keys of any shape."""
    child = jax.random.fold_in
    for _ in range(key.ndim):
        child = jax.vmap(child, (0, None))
    return child(key, number)


def of_seed(seed: int, name: Stream) -> Key[Array, ""]:
    """The key `[]` of one use of a seed."""
    return stream(jax.random.key(seed), name)


def example_keys(
    key: Key[Array, ""] | ExampleKeys, example_index: Integer[AnyArray, " batch"]
) -> ExampleKeys:
    """One key `[batch]` for each example, from a shared key and the example's own index.

    Args:
        key: a typed key `[]`, or one for each example, `[batch]`. All of its children are examples.
        example_index: int array `[batch]`.
    """
    return jax.vmap(jax.random.fold_in, (0 if key.ndim else None, 0))(key, example_index)


def normal(keys: ExampleKeys, shape: tuple[int, ...]) -> Component:
    """Standard normal float32 `[batch, *shape]`, each example from its own key."""
    return jax.vmap(lambda key: jax.random.normal(key, shape))(keys)
