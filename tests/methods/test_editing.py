"""Edits by a method whose network is a known function."""

import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.codecs.pixels import PixelCodec
from symmflow_jax.data.batch import Pixels, Points
from symmflow_jax.flow import keys
from symmflow_jax.flow.editing.known import Langevin, RePaint, Replacement
from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.flow.solvers.adaptive import DormandPrince
from symmflow_jax.flow.solvers.fixed_steps import euler, flow_map, heun
from symmflow_jax.flow.time_sampling import TimeSampling
from symmflow_jax.methods import editing
from symmflow_jax.methods.editing import Editing, Origin
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.methods.weights import Weights
from symmflow_jax.semantics.class_plane import ClassPlane
from symmflow_jax.semantics.one_hot import OneHot


class Towards(nn.Module):
    """The velocity of an image that is sure: grey values by the class beside it."""

    dtype: jnp.dtype = jnp.float32

    def __call__(self, x_t, y_t, t, dropout_keys=None):
        times = jnp.reshape(t[:, 0], (-1, *(1 for _ in x_t.shape[1:])))
        aim = 0.5 * y_t[..., :1]
        # Beside pure noise it knows no class.
        aim = jnp.where(jnp.reshape(t[:, 1], times.shape) > 0.5, 0.0, aim)
        return (aim - x_t) / jnp.maximum(1.0 - times, 0.02), jnp.zeros_like(y_t)


TWO_CLOCKS = TimeSampling(tied=0.0, independent=1.0)
METHOD = SymmFlow(
    Towards(), PixelCodec(OneHot(2), (4, 4, 3)), time_sampling=TWO_CLOCKS, holds_clean=True
)
PHOTOS = Pixels(np.random.default_rng(0).integers(256, size=(2, 4, 4, 3), dtype=np.uint8))
OLD = np.zeros((2, 4, 4), np.int32)
NEW = OLD.copy()
NEW[:, :, 2:] = 1
KEEP = NEW == OLD


def edit(how=editing.FROM_PHOTO, new=NEW, old=OLD, keep=None, solve=euler(4), method=METHOD):  # noqa: B008
    example_keys = keys.example_keys(jax.random.key(1), jnp.arange(2))
    new, old, keep = (None if array is None else jnp.asarray(array) for array in (new, old, keep))
    return editing.edit(method, Weights({}), example_keys, PHOTOS, new, old, keep, solve, how)


def photo():
    return PHOTOS.values.astype(np.float32) / 127.5 - 1


def test_the_same_mask_gives_the_photo_to_the_bit():
    np.testing.assert_array_equal(edit(new=OLD).state, photo())


def test_what_changes_its_class_moves_and_the_rest_does_not():
    change = np.asarray(edit().state) - photo()
    assert np.abs(change[:, :, :2]).max() == 0.0
    # From the aim 0.5 of the first class to -0.5 of the other one.
    np.testing.assert_allclose(change[:, :, 2:], -1.0, atol=0.05)


@pytest.mark.parametrize(
    "how",
    [
        Editing(),
        Editing(Origin.NOISE, filling=Replacement()),
        Editing(Origin.NOISE, filling=RePaint(2)),
        Editing(Origin.NOISE, filling=Langevin(2)),
        Editing(Origin.INVERSION),
    ],
    ids=lambda how: f"{how.origin.value}-{how.filling}",
)
def test_kept_pixels_are_those_of_the_photo_and_others_follow_their_class(how):
    made = np.asarray(edit(how, keep=KEEP).state)
    np.testing.assert_array_equal(made[:, :, :2], photo()[:, :, :2])
    if how.origin is not Origin.PHOTO:
        np.testing.assert_allclose(made[:, :, 2:], -0.5, atol=0.05)


def test_without_an_old_mask_the_velocity_is_that_of_no_class():
    change = np.asarray(edit(old=None).state) - photo()
    np.testing.assert_allclose(change[:, :, :2], 0.5, atol=0.05)
    np.testing.assert_allclose(change[:, :, 2:], -0.5, atol=0.05)


@pytest.mark.parametrize(
    ("how", "keep", "solve", "passes"),
    [
        (Editing(), None, euler(4), 8),
        (Editing(num_noises=3), None, euler(4), 24),
        (Editing(guidance=Guidance(2.0)), None, euler(4), 12),
        (Editing(), None, heun(4), 16),
        (Editing(Origin.NOISE), None, euler(4), 4),
        (Editing(Origin.NOISE, filling=Langevin(2)), KEEP, euler(4), 4 + 3 * 2),
        (Editing(Origin.NOISE, filling=RePaint(3)), KEEP, euler(4), 12),
        (Editing(Origin.NOISE, guidance=Guidance(2.0)), KEEP, euler(4), 2 * (4 + 3 * 5)),
        (Editing(Origin.INVERSION), None, euler(4), 8),
        (Editing(Origin.INVERSION), KEEP, euler(4), 8),
    ],
)
def test_passes_are_counted(how, keep, solve, passes):
    counted = jax.eval_shape(lambda: edit(how, keep=keep, solve=solve).state)
    assert counted.shape == (2, 4, 4, 3)
    np.testing.assert_array_equal(edit(how, keep=keep, solve=solve).nfe, passes)


def test_inversion_takes_an_adaptive_solver_and_comes_back():
    made = edit(Editing(Origin.INVERSION), new=OLD, solve=DormandPrince(1e-4))
    np.testing.assert_allclose(made.state, photo(), atol=0.1)
    for how, keep in ((Editing(), None), (Editing(Origin.NOISE), KEEP)):
        with pytest.raises(ValueError, match="fixed steps"):
            edit(how, keep=keep, solve=DormandPrince(1e-4))


def test_the_noise_of_an_inversion_depends_on_the_mask():
    example_keys = keys.example_keys(jax.random.key(1), jnp.arange(2))
    noises = [
        editing.invert(
            METHOD, Weights({}), example_keys, PHOTOS, jnp.asarray(labels), euler(4)
        ).state.image
        for labels in (OLD, NEW)
    ]
    np.testing.assert_array_equal(noises[0][:, :, :2], noises[1][:, :, :2])
    assert np.abs(noises[0] - noises[1])[:, :, 2:].min() > 0.1


def test_points_are_kept_by_coordinate():
    method = SymmFlow(Towards(), PixelCodec(ClassPlane(3, (), 4.0), (2,)), time_sampling=TWO_CLOCKS)
    points, keep = Points(jnp.asarray([[0.1, 0.2]])), jnp.asarray([[True, False]])
    example_keys = keys.example_keys(jax.random.key(1), jnp.arange(1))
    arguments = (method, Weights({}), example_keys, points, jnp.asarray([2]), jnp.asarray([0]))
    made = np.asarray(editing.edit(*arguments, keep, euler(4)).state)
    assert made[0, 0] == np.float32(0.1) and abs(made[0, 1] - 0.2) > 0.5


def test_a_latent_is_kept_where_all_its_pixels_are():
    keep = np.ones((1, 4, 6), bool)
    keep[0, 3, 0] = False
    found = editing.in_flow(jnp.asarray(keep), (1, 2, 3, 8))
    np.testing.assert_array_equal(found[0, ..., 0], [[True] * 3, [False, True, True]])


def test_a_run_of_one_clock_is_refused_with_the_remedy():
    tied = dataclasses.replace(METHOD, time_sampling=TimeSampling(), holds_clean=False)
    with pytest.raises(ValueError, match="Editing needs .* train with 'independent' or 'mixed'"):
        edit(method=tied)


def test_a_run_of_images_alone_is_refused():
    alone = TimeSampling(0.0, 0.0, 0.0, 0.0, noise_semantics=1.0)
    method = dataclasses.replace(METHOD, time_sampling=alone, holds_clean=False)
    with pytest.raises(ValueError, match="trained on images alone"):
        edit(method=method)


def test_jumps_are_refused():
    with pytest.raises(ValueError, match="choose another solver, such as 'euler'"):
        edit(solve=flow_map(1))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"start": 1.0}, r"starts at the time 1; it must lie in \[0, 1\)"),
        ({"origin": Origin.NOISE, "start": 0.5}, "from noise, leave it out"),
        ({"num_noises": 0}, "num_noises is 0; an edit draws at least one"),
    ],
)
def test_values_out_of_range_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        Editing(**values)
