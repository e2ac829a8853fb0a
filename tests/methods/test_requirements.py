"""What a method has not learned is refused, with the remedy."""

import dataclasses

import jax
import pytest

from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps, flow_map
from symmflow_jax.flow.solvers.runge_kutta import EULER
from symmflow_jax.methods.symmflow import Sampled
from symmflow_jax.methods.weights import Weights
from tests.methods.small_methods import (
    FLOW,
    LABELS,
    MAKER,
    MAP,
    POINTS,
    READER,
    TWO_CLOCKS,
    keys_of,
)


def test_jumps_are_refused_where_there_is_no_map():
    jump, example_keys = flow_map(1), keys_of(0, 1, 2)
    two, spans = (Weights(method.init(jax.random.key(0))) for method in (TWO_CLOCKS, MAP))
    with pytest.raises(ValueError, match="train one with config.train.objective='flow_map'"):
        TWO_CLOCKS.generate(two, example_keys, LABELS, jump)
    with pytest.raises(ValueError, match="One step of 'euler' predicts semantics"):
        MAP.predict_semantics(spans, example_keys, POINTS, jump)
    for what in (Sampled.PAIRS, Sampled.SEMANTICS):
        with pytest.raises(ValueError, match="makes images, beside semantics that do not move"):
            MAP.sample(spans, example_keys, jump, what)
    with pytest.raises(ValueError, match="train the map with config.train.map_guidance"):
        MAP.generate(spans, example_keys, LABELS, jump, Guidance(2.0))
    with pytest.raises(ValueError, match="A flow map needs a network with a clock for each"):
        dataclasses.replace(FLOW, has_span=True)


def test_the_task_that_is_not_learned_is_refused():
    weights = Weights(READER.init(jax.random.key(0)))
    once, example_keys = FixedSteps(EULER, 1), keys_of(0, 1, 2)
    assert READER.predict_semantics(weights, example_keys, POINTS, once).nfe.tolist() == [1] * 3
    assert MAKER.generate(weights, example_keys, LABELS, once).state.image.shape == (3, 2)
    for call, message in (
        (lambda: READER.generate(weights, example_keys, LABELS, once), "makes no images"),
        (lambda: READER.sample(weights, example_keys, once, Sampled.PAIRS), "makes no images"),
        (
            lambda: READER.predict_semantics(weights, example_keys, POINTS, FixedSteps(EULER, 2)),
            "reads in one step of 'euler' alone",
        ),
        (
            lambda: MAKER.predict_semantics(weights, example_keys, POINTS, once),
            "'generation'.* reads no masks or labels; take .*'recognition'",
        ),
        (
            lambda: MAKER.sample(weights, example_keys, once, Sampled.IMAGES),
            "Sampling from noise alone needs images .* beside semantics of pure noise",
        ),
        (
            lambda: MAKER.generate(weights, example_keys, LABELS, once, Guidance(2.0)),
            "Guidance needs images .* beside semantics of pure noise",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()
