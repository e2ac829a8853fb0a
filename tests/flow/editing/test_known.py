"""Known coordinates of a correlated Gaussian, whose conditional is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow import keys
from symmflow_jax.flow.editing.known import Known, Langevin, RePaint, Replacement, keep
from symmflow_jax.flow.moment import Moment
from symmflow_jax.flow.paths.linear import LinearPath
from symmflow_jax.flow.paths.path import ComponentPath
from symmflow_jax.flow.solvers.adaptive import DormandPrince
from symmflow_jax.flow.solvers.fixed_steps import euler

SIGMA = 1e-4
PATH = ComponentPath(LinearPath(SIGMA), clean_at_end=True)
COVARIANCE = np.array([[1.0, 0.9], [0.9, 1.0]])
COUNT, GIVEN = 2048, 1.5
# Of the second coordinate beside the first one.
MEAN, DEVIATION = 0.9 * GIVEN, np.sqrt(1 - 0.81)

FILLINGS = [Replacement(), RePaint(3), Langevin(3)]


def velocity(x, t):
    """That of points of the Gaussian, on the linear path."""
    share = 1 - (1 - SIGMA) * t
    scaled = jnp.asarray(COVARIANCE, jnp.float32) * t - jnp.eye(2) * (1 - SIGMA) * share
    total = jnp.asarray(COVARIANCE, jnp.float32) * t**2 + jnp.eye(2) * share**2
    return x @ jnp.linalg.solve(total, scaled)


def known_part(count=COUNT):
    noise = jax.random.normal(jax.random.key(0), (count, 2))
    image = jnp.broadcast_to(jnp.asarray([GIVEN, jnp.nan]), (count, 2))
    where = jnp.broadcast_to(jnp.asarray([[True, False]]), (count, 2))
    return Known(where, jnp.where(where, image, 0.0), noise, PATH)


def fill(filling, num_steps, count=COUNT, field=velocity):
    known, solve = known_part(count), euler(num_steps)
    example_keys = keys.example_keys(jax.random.key(2), jnp.arange(count))
    hook = filling.hook(field, known, example_keys, solve)
    made = solve(lambda x, moment: field(x, moment.s), known.noise, 0.0, 1.0, hook)
    return np.asarray(made.state)


@pytest.mark.parametrize("filling", FILLINGS, ids=repr)
def test_the_known_coordinate_is_held(filling):
    np.testing.assert_allclose(fill(filling, 5)[:, 0], GIVEN, atol=0.02)


def error(filling, num_steps=25):
    """How far the mean and the deviation of the unknown coordinate are from the truth."""
    found = fill(filling, num_steps)[:, 1]
    return abs(found.mean() - MEAN) + abs(found.std() - DEVIATION)


def test_replacement_is_the_worst_and_more_steps_inside_are_better():
    replaced, repainted, settled = (error(f) for f in (Replacement(), RePaint(5), Langevin(5)))
    assert replaced > 1.5 * max(repainted, settled)
    assert error(Langevin(20)) < settled < error(Langevin(1))
    assert error(Langevin(20)) < 0.1


def test_repainting_once_is_replacement():
    np.testing.assert_array_equal(fill(RePaint(1), 4), fill(Replacement(), 4))


@pytest.mark.parametrize("filling", FILLINGS, ids=repr)
def test_passes_are_the_evaluations_of_the_velocity(filling):
    calls = []

    def counted(x, t):
        jax.debug.callback(lambda t: calls.append(float(t)), t)
        return velocity(x, t)

    fill(filling, 4, count=2, field=counted)
    jax.effects_barrier()
    assert len(calls) == 4 + filling.passes(euler(4))
    assert min(calls) >= 0.0 and max(calls) <= 1.0


def test_keeping_holds_entries_to_the_bit():
    image = jax.random.normal(jax.random.key(0), (2, 3, 3, 2))
    where = jnp.asarray(np.arange(18).reshape(2, 3, 3, 1) % 2 == 0)
    kept = keep(where, image)(jnp.zeros_like(image), Moment(jnp.float32(0.5), jnp.int32(0)))
    np.testing.assert_array_equal(kept, np.where(where, image, 0.0))


@pytest.mark.parametrize("filling", FILLINGS, ids=repr)
def test_an_adaptive_solver_is_refused(filling):
    with pytest.raises(ValueError, match="choose one of fixed steps, such as 'euler'"):
        filling.hook(velocity, known_part(2), jax.random.split(jax.random.key(0)), DormandPrince(1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RePaint(0), "num_repeats is 0; it must be at least 1"),
        (lambda: Langevin(0), "num_inner is 0; it must be at least 1"),
        (lambda: Langevin(1, step_size=1.5), "step_size is 1.5; it must lie between 0 and 1"),
        (lambda: Langevin(1, pull=-1.0), "pull is -1.0; it must be finite and not negative"),
    ],
)
def test_values_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
