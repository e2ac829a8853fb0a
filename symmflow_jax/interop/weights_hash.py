"""A name for weights that tells whether they are the same."""

import hashlib
from typing import Any

import numpy as np
from flax import traverse_util


def hash_of(weights: Any) -> str:
    """The start of the SHA-256 of nested arrays: their paths, shapes and float32 numbers.

    Of the arrays and not of a file, since the same weights come in files of several formats.
    """
    digest = hashlib.sha256()
    for path, array in sorted(traverse_util.flatten_dict(weights, sep="/").items()):
        digest.update(f"{path} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array, "<f4").tobytes())
    return digest.hexdigest()[:16]
