"""Log densities of a symmetric flow whose network is a known function."""

import dataclasses
import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.codecs.pixels import PixelCodec
from symmflow_jax.data.batch import Pixels, Points, Signals
from symmflow_jax.flow.likelihood import ExactTrace, Hutchinson
from symmflow_jax.flow.solvers import fixed_steps
from symmflow_jax.flow.state import JointState
from symmflow_jax.flow.time_sampling import TimeSampling
from symmflow_jax.methods import likelihood
from symmflow_jax.methods.likelihood import Density
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.methods.weights import Weights
from symmflow_jax.semantics.class_plane import ClassPlane
from symmflow_jax.semantics.one_hot import OneHot
from symmflow_jax.semantics.palette_mask import PaletteMask


class Shrink(nn.Module):
    """Velocities -x and 2 y: the log density changes by known amounts, wherever the data is."""

    dtype: jnp.dtype = jnp.float32

    def __call__(self, x_t, y_t, t, dropout_keys=None):
        return -x_t, 2.0 * y_t


TWO_CLOCKS = TimeSampling(tied=0.0, independent=1.0)
CODEC = PixelCodec(ClassPlane(3, (2, 2), 4.0), (2, 2, 3), label_scale=2.0)
METHOD = SymmFlow(Shrink(), CODEC, time_sampling=TWO_CLOCKS)


def keys(seed=0):
    return jax.random.split(jax.random.key(seed), 2)


def density(of, method=METHOD, image=None, divergence=ExactTrace(), num_steps=8):  # noqa: B008
    image = Pixels(np.full((2, 2, 2, 3), 128, np.uint8)) if image is None else image
    probes = likelihood.draw_probes(method, of, divergence, keys(5))
    solve = fixed_steps.rk4(num_steps)
    return likelihood.log_density(
        method, Weights({}), keys(), probes, image, jnp.asarray([0, 2]), solve, of, divergence
    )


@pytest.mark.parametrize("of", [Density.IMAGE, Density.IMAGE_GIVEN_SEMANTICS])
def test_images_are_dequantised_and_followed_to_their_noise(of):
    found = density(of)
    # Back from s = 1 to 0 the image grows by e, and its log density by the divergence -12.
    assert (np.abs(found.noise - math.e * (128 / 127.5 - 1)) < math.e * 0.51 / 127.5).all()
    assert np.std(found.noise) > 1e-3
    gaussian = -0.5 * np.square(found.noise).sum(axis=(1, 2, 3)) - 6 * math.log(2 * math.pi)
    np.testing.assert_allclose(found.nats, gaussian + 12.0, rtol=1e-5)
    np.testing.assert_array_equal(found.nfe, [32, 32])


def test_semantics_are_followed_the_other_way():
    found = density(Density.SEMANTICS)
    codes = np.array([-4.0, 4.0])[:, None, None, None]
    # From s = 0 to 1 they grow by e squared.
    assert (
        np.abs(found.noise / math.e**2 - codes) < 1.001 * METHOD.codec.bin_widths.semantics / 2
    ).all()
    gaussian = -0.5 * np.square(found.noise).sum(axis=(1, 2, 3)) - 2 * math.log(2 * math.pi)
    np.testing.assert_allclose(found.nats, gaussian + 8.0, rtol=1e-4)


def test_probes_of_a_diagonal_velocity_are_exact():
    exact, estimated = (density(Density.IMAGE, divergence=d) for d in (ExactTrace(), Hutchinson(1)))
    np.testing.assert_allclose(exact.nats, estimated.nats, rtol=1e-5)


def test_points_are_taken_as_they_are():
    codec = PixelCodec(OneHot(3), (3,))
    method = dataclasses.replace(METHOD, codec=codec)
    points = np.float32([[1.0, -2.0, 0.5], [0.0, 1.0, 2.0]])
    found = density(Density.IMAGE, method, Points(points))
    np.testing.assert_allclose(found.noise, math.e * points, rtol=1e-4)
    assert codec.bin_widths == JointState(1.0, 0.0)
    assert likelihood.num_dimensions(method, Density.IMAGE) == 3


def test_widths_are_those_of_the_noise():
    assert likelihood.bin_width(METHOD, Density.IMAGE) == 1 / 127.5
    assert likelihood.bin_width(METHOD, Density.SEMANTICS) == 2.0  # Half of 4 / 2, times 2.
    draws = jax.vmap(CODEC.encoding.encode)(keys(), jnp.asarray([1, 1]))
    assert 0.6 < np.ptp(draws) <= CODEC.encoding.noise_width == 1.0
    assert PaletteMask(((0, 0, 0),), 6.0).noise_width == 6.0 / 127.5
    assert likelihood.num_dimensions(METHOD, Density.SEMANTICS) == 4


def test_what_has_no_density_is_refused_with_the_reason():
    tied = dataclasses.replace(METHOD, time_sampling=TimeSampling())
    with pytest.raises(ValueError, match="'tied' image and semantics change together.*mixed"):
        density(Density.IMAGE, tied)
    onehot = dataclasses.replace(METHOD, codec=PixelCodec(OneHot(3, (2, 2)), (2, 2, 3)))
    assert not likelihood.semantics_have_density(onehot)
    with pytest.raises(ValueError, match="no density, because their codes bear no noise"):
        density(Density.SEMANTICS, onehot)
    with pytest.raises(TypeError, match="of 8-bit pixels or of points, not of signals"):
        density(Density.IMAGE, image=Signals(np.zeros((2, 2, 2, 3), np.float32)))


def test_latents_have_none(latent_experiment):
    experiment = latent_experiment(**{"train.clock": "mixed"})
    with pytest.raises(ValueError, match="decoder of an autoencoder has none"):
        likelihood.check(experiment.method, Density.IMAGE)
