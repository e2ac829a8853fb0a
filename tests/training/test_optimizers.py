"""The optimizer and its schedule."""

import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from symmflow_jax.training.optimizers import adamw, one_cycle

FIXTURES = pathlib.Path(__file__).parent.parent / "fixtures"

pytestmark = pytest.mark.usefixtures("standard_dtype_promotion")


def _rates(schedule, steps):
    return [float(schedule(step)) for step in steps]


def test_the_learning_rate_rises_and_falls_along_cosines():
    schedule = one_cycle(13, 5, 1.0, 0.2)
    # Halfway a cosine is at the mean of its ends.
    np.testing.assert_allclose(_rates(schedule, (0, 2, 4, 8, 12)), [0.2, 0.6, 1.0, 0.6, 0.2], 1e-5)
    rates = _rates(schedule, range(13))
    assert rates[:5] == sorted(rates[:5]) and rates[4:] == sorted(rates[4:], reverse=True)


def test_learning_rates_of_a_published_run_are_those_of_pytorch():
    # 1000 epochs of 118 batches, 100 of them to warm up (see make_one_cycle.py).
    reference = np.load(FIXTURES / "one_cycle.npz")
    steps = reference["mnist/steps"]
    assert {*range(10), 11_799, *range(117_990, 118_000)} <= set(steps.tolist())
    schedule = one_cycle(118_000, 11_800, 5e-4, 1e-6)
    rates = jax.vmap(schedule)(steps)
    np.testing.assert_allclose(rates, reference["mnist/rates"], rtol=1e-4)
    assert float(schedule(11_799)) == rates.max() == np.float32(5e-4)
    assert schedule(117_999) == pytest.approx(1e-6, rel=1e-4)


@pytest.mark.parametrize("num_steps", [1, 2, 5])
@pytest.mark.parametrize("warmup_steps", [0, 1, 100])
def test_short_trainings_have_their_peak_and_their_end(num_steps, warmup_steps):
    rates = _rates(one_cycle(num_steps, warmup_steps, 1.0, 0.01), range(num_steps))
    assert np.all(np.isfinite(rates)) and max(rates) == pytest.approx(1.0)
    assert np.argmax(rates) == (max(0, num_steps - 2) if warmup_steps > 1 else 0)
    assert num_steps == 1 or rates[-1] == pytest.approx(0.01)


def _update(optimizer, params, gradients):
    updates, _ = optimizer.update(gradients, optimizer.init(params), params)
    return updates


def test_the_first_step_is_as_long_as_the_learning_rate():
    params = {"a": jnp.zeros(2), "b": jnp.zeros(1)}
    gradients = {"a": jnp.asarray([2.0, -0.01]), "b": jnp.asarray([300.0])}
    updates = _update(adamw(lambda step: 0.5, 0.0, None), params, gradients)
    np.testing.assert_allclose(updates["a"], [-0.5, 0.5], rtol=1e-4)
    np.testing.assert_allclose(updates["b"], [-0.5], rtol=1e-4)


def test_parameters_and_their_average_are_those_of_pytorch():
    # Gradients of many sizes, and the rates of a cycle (see make_adamw.py).
    reference = np.load(FIXTURES / "adamw.npz")
    rates = jnp.asarray(reference["rates"], jnp.float32)
    optimizer = adamw(lambda step: rates[step], 0.0, None)
    params = average = jnp.asarray(reference["start"])
    state = optimizer.init(params)
    for gradient, expected, mean in zip(
        reference["gradients"], reference["params"], reference["averages"], strict=True
    ):
        updates, state = optimizer.update(jnp.asarray(gradient), state, params)
        params = optax.apply_updates(params, updates)
        average = optax.incremental_update(params, average, 0.1)
        np.testing.assert_allclose(params, expected, rtol=0, atol=2e-7)
        np.testing.assert_allclose(average, mean, rtol=0, atol=2e-7)


def test_gradients_are_bounded_together():
    params = {"a": jnp.zeros(1), "b": jnp.zeros(1)}
    # A first gradient of norm 5, cut to 1; and one of norm 1, which is not.
    steps = [{"a": 3.0, "b": 4.0}, {"a": 0.6, "b": 0.8}]
    results = []
    for clip_norm in (1.0, 100.0):
        optimizer = adamw(lambda step: 0.5, 0.0, clip_norm)
        state = optimizer.init(params)
        for gradients in steps:
            gradients = {name: jnp.asarray([value]) for name, value in gradients.items()}
            updates, state = optimizer.update(gradients, state, params)
        results.append(float(updates["a"][0]))
    # Equal gradients make steps of the learning rate; a smaller second one makes a shorter step.
    assert results[0] == pytest.approx(-0.5, rel=1e-4)
    assert -0.45 < results[1] < 0.0


def test_parameters_decay_but_the_embedding_of_the_prompt_does_not():
    params = {"prompt_embedding": jnp.ones((2, 3)), "dense": {"kernel": jnp.ones((2, 3))}}
    zeros = jax.tree.map(jnp.zeros_like, params)
    updates = _update(adamw(lambda step: 0.5, 0.1, None), params, zeros)
    np.testing.assert_array_equal(updates["prompt_embedding"], np.zeros((2, 3)))
    np.testing.assert_allclose(updates["dense"]["kernel"], np.full((2, 3), -0.05), rtol=1e-6)


def test_without_a_decay_nothing_moves_by_itself():
    params = {"prompt_embedding": jnp.ones(3), "dense": {"kernel": jnp.ones((2, 3))}}
    zeros = jax.tree.map(jnp.zeros_like, params)
    updates = _update(adamw(lambda step: 0.5, 0.0, None), params, zeros)
    assert optax.tree.norm(updates) == 0.0
