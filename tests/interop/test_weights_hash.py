import numpy as np

from symmflow_jax.interop.weights_hash import hash_of


def test_the_hash_tells_weights_apart_and_nothing_else():
    tree = {"a": np.ones((2, 3), np.float32), "b": {"c": np.zeros(4, np.float32)}}
    reordered = {"b": tree["b"], "a": tree["a"].astype(np.float64)}
    assert hash_of(reordered) == hash_of(tree)
    transposed = tree | {"a": np.ones((3, 2), np.float32)}
    assert hash_of(transposed) != hash_of(tree)
    renamed = {"a": tree["a"], "b": {"d": tree["b"]["c"]}}
    assert hash_of(renamed) != hash_of(tree)
