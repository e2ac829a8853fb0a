"""Paths, couplings, parameterizations and clocks by name, and the method they make."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.config.build.method.method import (
    CLOCKS,
    COUPLINGS,
    PARAMETERIZATIONS,
    PATHS,
    make_guidance,
    make_parameterizations,
    make_paths,
)
from symmflow_jax.config.values import ClockShares, Config, GuidanceConfig, TrainConfig
from symmflow_jax.data.source import numbered_classes
from symmflow_jax.flow.guidance import NO_GUIDANCE
from symmflow_jax.flow.parameterizations.parameterization import PathPoint
from symmflow_jax.flow.state import JointState, map_components
from symmflow_jax.semantics.categorical import CategoricalParameterization
from symmflow_jax.semantics.one_hot import OneHot

_DATA = jnp.asarray([[1.0, -2.0], [0.5, 3.0]])
_NOISE = jnp.asarray([[0.3, 0.1], [-0.7, 0.2]])


@pytest.mark.parametrize("name", PATHS)
def test_every_path_leads_the_image_to_its_data_and_the_semantics_from_theirs(name):
    paths = make_paths(TrainConfig(path=name, sigma_min=1e-4))
    first, last = (
        map_components(lambda path, t=t: path.interpolate(_DATA, _NOISE, jnp.asarray(t)), paths)
        for t in (0.0, 1.0)
    )
    np.testing.assert_allclose(last.image, _DATA, atol=1e-3)
    # A diffusion never ends in noise alone: 0.0066 of the data is left.
    np.testing.assert_allclose(first.image, _NOISE, atol=0.03)
    np.testing.assert_allclose(first.semantics, _DATA, atol=0.03)
    np.testing.assert_allclose(last.semantics, _NOISE, atol=1e-3)


def test_sigma_min_is_the_noise_that_is_left():
    path = make_paths(TrainConfig(sigma_min=0.5)).image
    left = path.interpolate(_DATA, _NOISE, jnp.asarray(1.0)) - _DATA
    np.testing.assert_allclose(left, 0.5 * _NOISE, atol=1e-6)


@pytest.mark.parametrize("name", COUPLINGS)
def test_every_coupling_gives_all_of_the_noise(name):
    coupling = COUPLINGS[name].resolve()()
    data, noise = JointState(_DATA, _DATA), JointState(_NOISE, 2.0 * _NOISE)
    coupled = coupling.couple(jax.random.key(0), data, noise)
    for found, given in zip(coupled, noise, strict=True):
        np.testing.assert_array_equal(np.sort(found, axis=None), np.sort(given, axis=None))


@pytest.mark.parametrize("name", PARAMETERIZATIONS)
def test_every_parameterization_gives_velocities_and_a_loss_for_each_example(name):
    train = TrainConfig(semantics_parameterization=name)
    config = dataclasses.replace(Config(), train=train)
    semantics = make_parameterizations(config, OneHot(3)).semantics
    path = make_paths(train).semantics
    output, point = jnp.ones((2, 4, 4, 3)), jnp.zeros((2, 4, 4, 3))
    times, labels = jnp.asarray([0.5, 1.0]), jnp.zeros((2, 4, 4), jnp.int32)
    velocity = semantics.velocity(output, point, times, path)
    assert velocity.shape == point.shape and bool(jnp.all(jnp.isfinite(velocity)))
    at = PathPoint(point, clean=point, noise=point, t=times, labels=labels)
    losses = semantics.loss(output, at, path)
    assert losses.shape == (2,) and bool(jnp.all(losses > 0))


def test_the_parameterization_of_semantics_suits_the_encoding(tiny_experiment):
    made = {
        encoding: tiny_experiment(**{"semantics.encoding": encoding})
        .with_schema(numbered_classes(3))
        .method.parameterizations
        for encoding in ("palette", "onehot")
    }
    assert isinstance(made["onehot"].semantics, CategoricalParameterization)
    assert made["palette"].semantics == made["palette"].image == made["onehot"].image


@pytest.mark.parametrize(
    "changes",
    [
        {"train.image_parameterization": "categorical", "semantics.encoding": "onehot"},
        {"train.semantics_parameterization": "categorical", "semantics.encoding": "palette"},
    ],
)
def test_logits_are_for_one_hot_codes_alone(tiny_experiment, changes):
    experiment = tiny_experiment(**changes).with_schema(numbered_classes(3))
    with pytest.raises(ValueError, match="'categorical' is for semantics of one-hot codes"):
        experiment.method  # noqa: B018


@pytest.mark.parametrize("name", CLOCKS)
def test_every_clock_draws_as_many_times_as_the_network_is_given(name):
    sampling = CLOCKS[name].make(TrainConfig(prob_at_one=0.25))
    assert sampling.num_clocks == CLOCKS[name].num_clocks
    times = jax.vmap(sampling)(jax.random.split(jax.random.key(0), 400)).times
    image, semantics = (np.asarray(leaf) for leaf in times)
    assert np.all((image >= 0) & (image <= 1) & (semantics >= 0) & (semantics <= 1))
    # Recognition alone has both at 1: a clean image beside pure noise.
    assert np.all(image == semantics) == (name in ("tied", "recognition"))
    assert np.mean(semantics == 1) > 0.1 or name == "generation"


def test_only_a_mixture_has_shares_of_its_own():
    shares = ClockShares(0.0, 0.0, 1.0, 0.0)
    config = TrainConfig(clock_shares=shares)
    assert CLOCKS["mixed"].make(config).shares == (0.0, 0.0, 1.0, 0.0, 0.0)
    assert CLOCKS["tied"].make(config).shares == (1.0, 0.0, 0.0, 0.0, 0.0)
    assert CLOCKS["independent"].make(config).shares == (0.0, 1.0, 0.0, 0.0, 0.0)
    assert CLOCKS["unconditional"].make(config).shares == (0.0, 0.0, 0.0, 0.0, 1.0)


def test_one_task_has_the_whole_loss():
    config = TrainConfig(image_weight=0.7, prob_at_one=0.3)
    assert CLOCKS["mixed"].loss_weights(config) == pytest.approx((0.7, 0.3))
    assert CLOCKS["recognition"].loss_weights(config) == (0.0, 1.0)
    assert CLOCKS["generation"].loss_weights(config) == (1.0, 0.0)
    assert CLOCKS["recognition"].make(config).prob_at_one == 1.0


@pytest.mark.parametrize(
    ("clock", "of_evaluation", "expected"),
    [
        ("tied", "", "tied"),
        ("tied", "tied", "tied"),
        ("independent", "", "clean"),
        ("independent", "tied", "tied"),
        ("mixed", "clean", "clean"),
        ("unconditional", "", "noise"),
        ("recognition", "", "clean"),
        ("generation", "", "clean"),
    ],
)
def test_what_is_given_is_held_where_the_network_can(
    tiny_experiment, clock, of_evaluation, expected
):
    values = {"train.clock": clock, "eval.clock": of_evaluation, "eval.metrics": ("objective",)}
    experiment = tiny_experiment(**values)
    assert experiment.with_schema(numbered_classes(3)).method.clock_name == expected


@pytest.mark.parametrize(
    ("key", "listed"),
    [
        ("path", "linear, diffusion"),
        ("coupling", "independent"),
        ("image_parameterization", "velocity, clean, categorical"),
        ("semantics_parameterization", "velocity, clean, categorical"),
        ("clock", "tied, independent, mixed, unconditional, recognition, generation"),
    ],
)
def test_unknown_parts_are_refused_with_the_list(tiny_experiment, key, listed):
    message = rf"config\.train\.{key} is 'nothing'; choose one of {listed}\."
    with pytest.raises(ValueError, match=message):
        tiny_experiment(**{f"train.{key}": "nothing"})


def test_the_default_guidance_is_none():
    assert make_guidance(GuidanceConfig(), 10) == NO_GUIDANCE
    assert make_guidance(GuidanceConfig(), None) == NO_GUIDANCE


def test_the_first_step_to_skip_must_be_known():
    skipping = GuidanceConfig(weight=2.0, skip_first_step=True)
    assert make_guidance(skipping, 4).zero_init_until == 0.25
    with pytest.raises(ValueError, match="an adaptive solver has no first step that is known"):
        make_guidance(skipping, None)


def test_an_adaptive_solver_does_not_guide():
    with pytest.raises(ValueError, match=r"weight is 2\.0, but an adaptive solver takes the exam"):
        make_guidance(GuidanceConfig(weight=2.0), None)
