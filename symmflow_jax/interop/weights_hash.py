"""A hash of weights, to test whether two sets are equal."""

import hashlib
from typing import Any

import numpy as np
from flax import traverse_util


def hash_of(weights: Any) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of nested arrays.

    The hash covers paths, shapes and float32 values. It is independent of the file format, because
    equal weights are published in several formats.
    """
    digest = hashlib.sha256()
    for path, array in sorted(traverse_util.flatten_dict(weights, sep="/").items()):
        digest.update(f"{path} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array, "<f4").tobytes())
    return digest.hexdigest()[:16]
