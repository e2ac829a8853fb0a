"""FlowEdit between Gaussians, whose velocities are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow import keys
from symmflow_jax.flow.editing.flow_edit import flow_edit
from symmflow_jax.flow.moment import Moment
from symmflow_jax.flow.paths.linear import LinearPath
from symmflow_jax.flow.paths.path import ComponentPath
from symmflow_jax.flow.solvers.adaptive import DormandPrince
from symmflow_jax.flow.solvers.fixed_steps import euler

SIGMA = 1e-4
PATH = ComponentPath(LinearPath(SIGMA), clean_at_end=True)


def beside(mean, scale=0.3):
    """The velocity of images that are normal with this mean and standard deviation."""

    def velocity(x, t):
        share = 1 - (1 - SIGMA) * t
        rate = (t * scale**2 - (1 - SIGMA) * share) / (share**2 + (t * scale) ** 2)
        return mean + rate * (x - t * mean)

    return velocity


@pytest.fixture(scope="module")
def photos():
    """Images of the old class, whose mean is -1, and their keys."""
    images = -1.0 + 0.3 * jax.random.normal(jax.random.key(0), (512, 3))
    return images, keys.example_keys(jax.random.key(1), jnp.arange(512))


def edit(photos, target, source, num_steps=20, start=0.0, **options):
    images, example_keys = photos
    motion = flow_edit(target, source, PATH, images, example_keys, **options)
    return euler(num_steps)(motion, images, start, 1.0).state


def test_without_a_change_the_image_comes_back_to_the_bit(photos):
    images, _ = photos
    np.testing.assert_array_equal(edit(photos, beside(-1.0), beside(-1.0)), images)


@pytest.mark.parametrize("num_noises", [1, 4])
def test_images_of_one_class_become_images_of_another(photos, num_noises):
    images, _ = photos
    edited = edit(photos, beside(2.0), beside(-1.0), num_noises=num_noises)
    np.testing.assert_allclose(edited.mean(axis=0), 2.0, atol=0.1)
    np.testing.assert_allclose(edited.std(axis=0), 0.3, atol=0.06)
    # What stood out still does: their order stays, where an image from noise knows nothing of it.
    assert np.corrcoef(images[:, 0], edited[:, 0])[0, 1] > 0.8


def test_a_later_start_changes_less(photos):
    images, _ = photos
    ways = [
        np.abs(edit(photos, beside(2.0), beside(-1.0), start=start) - images).mean()
        for start in (0.0, 0.3, 0.6)
    ]
    np.testing.assert_allclose(ways[0], 3.0, atol=0.1)
    assert ways[0] > ways[1] + 0.1 > ways[2] + 0.2


def test_each_step_and_each_draw_has_noise_of_its_own():
    seen = []

    def record(x, t):
        jax.debug.callback(lambda x: seen.append(float(x[0, 0])), x, ordered=True)
        return jnp.zeros_like(x)

    example_keys = keys.example_keys(jax.random.key(1), jnp.arange(1))
    motion = flow_edit(beside(0.0), record, PATH, jnp.zeros((1, 1)), example_keys, 2)
    for step in (0, 1, 0):
        motion(jnp.zeros((1, 1)), Moment(jnp.float32(0.0), jnp.int32(step)))
    jax.effects_barrier()
    assert len(set(seen[:4])) == 4
    # The stages of one step share its noise.
    assert seen[4:] == seen[:2]


def test_an_adaptive_solver_is_refused(photos):
    images, example_keys = photos
    motion = flow_edit(beside(2.0), beside(-1.0), PATH, images, example_keys)
    with pytest.raises(ValueError, match="FlowEdit draws noise .* choose a solver of fixed steps"):
        DormandPrince(1e-3)(motion, images, 0.0, 1.0)
