"""Weights as arrays by name."""

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.inference.export import packed_weights


def test_weights_come_back(point_model):
    packed = packed_weights.pack(point_model.method, point_model.weights)
    assert "network/dense_0/kernel" in packed
    back = packed_weights.unpack(packed)
    assert back.codec is None
    jax.tree.map(np.testing.assert_array_equal, back, point_model.weights)


def test_matrices_of_a_bfloat16_network_take_half_of_the_space(
    tmp_path, latent_experiment, drawn_model, standard_dtype_promotion
):
    names = {f"{part}.dtype": "bfloat16" for part in ("network", "autoencoder")}
    model = drawn_model(latent_experiment(**names))
    packed = packed_weights.pack(model.method, model.weights)
    assert packed["network/stem/kernel"].dtype == np.uint16
    assert packed["network/stem/bias"].dtype == np.float32
    np.savez(tmp_path / "weights.npz", **packed)
    read = dict(np.load(tmp_path / "weights.npz"))
    back = packed_weights.unpack({name: jnp.asarray(array) for name, array in read.items()})
    expected = model.method.in_compute_dtype(model.weights)
    assert back.codec["decoder"]["stem"]["kernel"].dtype == jnp.bfloat16
    jax.tree.map(np.testing.assert_array_equal, back, expected)
