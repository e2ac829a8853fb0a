"""The method bound to a network: an example's results are its own."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.codecs.appearance import Appearance
from symmflow_jax.codecs.pixels import PixelCodec
from symmflow_jax.data.batch import Pixels, Points
from symmflow_jax.flow import keys
from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.flow.keys import Stream
from symmflow_jax.flow.objectives.flow_map import FlowMapObjective
from symmflow_jax.flow.parameterizations.velocity import VelocityParameterization
from symmflow_jax.flow.paths.linear import LinearPath
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps, flow_map
from symmflow_jax.flow.solvers.runge_kutta import EULER
from symmflow_jax.flow.state import JointState
from symmflow_jax.flow.time_sampling import TimeSampling
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.methods.symmflow import Sampled, SymmFlow, Weights, component_paths
from symmflow_jax.networks.velocity.mlp import MLP
from symmflow_jax.semantics.categorical import CategoricalParameterization
from symmflow_jax.semantics.class_plane import ClassPlane
from symmflow_jax.semantics.one_hot import OneHot

_FLOW = SymmFlow(MLP(features=16, num_layers=2), PixelCodec(ClassPlane(3, (), 4.0), (2,)))
_TWO_CLOCKS = SymmFlow(
    MLP(features=16, num_layers=2),
    PixelCodec(ClassPlane(3, (), 4.0), (2,)),
    time_sampling=TimeSampling(0.25, 0.25, 0.25, 0.25),
    holds_clean=True,
)
_POINTS = Points(jnp.asarray([[0.1, 0.2], [0.3, -0.4], [-0.5, 0.6]]))
_HALVES = JointState(0.5, 0.5)
_LABELS = jnp.asarray([0, 1, 2])


@pytest.fixture(scope="module")
def weights():
    return Weights(_FLOW.init(jax.random.key(0)))


def _keys(*positions: int) -> jax.Array:
    return keys.example_keys(jax.random.key(1), jnp.asarray(positions))


@pytest.mark.parametrize("task", ["losses", "generate", "predict_semantics"])
def test_an_example_depends_on_its_key_and_not_on_its_batch(weights, task):
    solve = FixedSteps(EULER, 2)
    functions = {
        "losses": lambda k, x, y: _FLOW.losses(weights, k, x, y, _HALVES).total,
        "generate": lambda k, x, y: _FLOW.generate(weights, k, y, solve).state.image,
        "predict_semantics": lambda k, x, y: (
            _FLOW.predict_semantics(weights, k, x, solve).state.semantics
        ),
    }
    function = jax.jit(functions[task])
    whole = function(_keys(0, 1, 2), _POINTS, _LABELS)
    order = jnp.asarray([2, 0])
    part = function(_keys(2, 0), Points(_POINTS.values[order]), _LABELS[order])
    np.testing.assert_allclose(part, whole[order], rtol=1e-5, atol=1e-6)


def test_weights_in_the_compute_dtype_change_no_result(weights):
    method = dataclasses.replace(
        _FLOW, network=dataclasses.replace(_FLOW.network, dtype=jnp.bfloat16)
    )
    cast = method.in_compute_dtype(weights)
    dtypes = {leaf.ndim: leaf.dtype for leaf in jax.tree.leaves(cast)}
    assert dtypes == {1: jnp.float32, 2: jnp.bfloat16}
    results = [method.losses(w, _keys(0, 1, 2), _POINTS, _LABELS, _HALVES) for w in (weights, cast)]
    jax.tree.map(np.testing.assert_array_equal, *results)
    same = _FLOW.in_compute_dtype(weights)
    assert all(a is b for a, b in zip(*map(jax.tree.leaves, (same, weights)), strict=True))


@functools.partial(jax.jit, static_argnums=0)
def _drawn(method, example_keys, pixels):
    labels = jnp.arange(len(pixels)) % 3
    return method.draw(Weights(None), example_keys, Pixels(pixels), labels)


@pytest.mark.parametrize("dequantizes", [True, False])
def test_images_that_are_learned_never_change_their_appearance(dequantizes):
    codec = PixelCodec(ClassPlane(3, (), 4.0), (4, 5, 3), dequantizes)
    plain = SymmFlow(_FLOW.network, codec, time_sampling=TimeSampling(0.25, 0.25, 0.25, 0.25))
    jittered = dataclasses.replace(plain, appearance=Appearance(0.5, 0.5, 0.5, 0.2, 1.0))
    pixels = jnp.asarray(np.random.default_rng(0).integers(0, 256, (64, 4, 5, 3), np.uint8))
    before, after = (_drawn(method, _keys(*range(64)), pixels) for method in (plain, jittered))
    learned = np.asarray(before.times.learned.image) == 1.0
    assert 30 < learned.sum() < 60
    changed = np.any(before.data.image != after.data.image, axis=(1, 2, 3))
    np.testing.assert_array_equal(changed, ~learned)
    same = before._replace(data=before.data.semantics), after._replace(data=after.data.semantics)
    jax.tree.map(np.testing.assert_array_equal, *same)
    assert jittered.of_velocities.appearance is None  # Scores are of images as they are.


def test_parts_of_the_loss_add_up(weights):
    losses = _FLOW.losses(weights, _keys(0, 1, 2), _POINTS, _LABELS, JointState(0.9, 0.1))
    np.testing.assert_allclose(losses.total, 0.9 * losses.image + 0.1 * losses.semantics, rtol=1e-6)


def test_training_images_are_dequantised_within_half_a_level():
    class Identity(MLP):
        def __call__(self, x_t, y_t, t, dropout_keys=None):
            return x_t, y_t

    pixels = jnp.full((4, 2, 2, 1), 128, jnp.uint8)
    encoding = ClassPlane(3, (2, 2), 4.0)
    losses = {
        dequantize: SymmFlow(Identity(), PixelCodec(encoding, (2, 2, 1), dequantize)).losses(
            Weights({}),
            _keys(0, 1, 2, 3),
            Pixels(pixels),
            jnp.zeros(4, jnp.int32),
            JointState(1.0, 0.0),
        )
        for dequantize in (False, True)
    }
    difference = np.abs(losses[True].image - losses[False].image)
    assert (difference > 0).all() and (difference < 0.1).all()


def test_no_two_uses_share_a_key(monkeypatch):
    """Of everything that training and inference draw with one seed."""
    drawn: dict[tuple, str] = {}

    def record(data, use):
        for number in np.asarray(data).reshape(-1, 2).tolist():
            assert tuple(number) not in drawn, f"{use} uses the key of {drawn[tuple(number)]}"
            drawn[tuple(number)] = use

    def recording(name):
        draw = getattr(jax.random, name)

        def recorded(key, *args, **kwargs):
            jax.debug.callback(functools.partial(record, use=name), jax.random.key_data(key))
            return draw(key, *args, **kwargs)

        return recorded

    for name in ("normal", "uniform", "bernoulli", "choice"):
        monkeypatch.setattr(jax.random, name, recording(name))
    solve, guidance = FixedSteps(EULER, 2), Guidance(2.0)
    weights = Weights(_TWO_CLOCKS.init(keys.of_seed(0, keys.Stream.INIT)))
    for step in range(2):
        key = jax.random.fold_in(keys.of_seed(0, keys.Stream.TRAINING), step)
        example_keys = keys.example_keys(key, jnp.arange(3))
        _TWO_CLOCKS.losses(weights, example_keys, _POINTS, _LABELS, _HALVES, dropout=True)
    key, index = keys.of_seed(0, keys.Stream.EVALUATION), jnp.arange(3)
    predictions.generate(_TWO_CLOCKS, weights, key, index, _LABELS, solve, guidance)
    predictions.predict_semantics(_TWO_CLOCKS, weights, key, index, _POINTS, solve, ensemble_size=3)
    predictions.sample(_TWO_CLOCKS, weights, key, index, solve, Sampled.PAIRS)
    jax.effects_barrier()
    assert len(drawn) > 40


_MAP = dataclasses.replace(
    _TWO_CLOCKS,
    time_sampling=TimeSampling(0.25, 0.25, 0.25, 0.25, map_share=0.5),
    objective=FlowMapObjective(),
    has_span=True,
)


@pytest.fixture(scope="module")
def map_weights():
    """Weights of a map whose span is not without effect."""
    params = _MAP.init(jax.random.key(0))
    return Weights({**params, "span": {"kernel": jnp.ones((1, 16))}})


def test_a_map_with_the_weights_of_two_clocks_has_their_velocity():
    params = _TWO_CLOCKS.init(jax.random.key(5))
    mapped = Weights({**params, "span": _MAP.init(jax.random.key(0))["span"]})
    state = JointState(_POINTS.values, jnp.ones((3, 1)))
    times = JointState(jnp.float32(0.2), jnp.float32(0.9))
    expected = _TWO_CLOCKS.velocity(Weights(params))(state, times)
    for span in ((), (jnp.float32(0.0),), (jnp.float32(0.5),)):  # Nothing is learned of spans yet.
        found = _MAP.velocity(mapped)(state, times, *span)
        jax.tree.map(np.testing.assert_array_equal, found, expected)


def test_a_jump_is_the_average_velocity_over_all_of_the_span(map_weights):
    solution = _MAP.generate(map_weights, _keys(0, 1, 2), _LABELS, flow_map(1))
    euler = _MAP.generate(map_weights, _keys(0, 1, 2), _LABELS, FixedSteps(EULER, 1))
    np.testing.assert_array_equal(solution.nfe, 1)
    assert np.abs(solution.state.image - euler.state.image).min() > 1e-4
    noise = _MAP._noise(_keys(0, 1, 2)).image
    state = JointState(noise, solution.state.semantics)
    times = JointState(jnp.float32(0.0), jnp.float32(0.0))
    velocity = _MAP.velocity(map_weights)(state, times, jnp.float32(1.0)).image
    np.testing.assert_allclose(solution.state.image, noise + velocity, rtol=1e-5, atol=1e-6)
    images = _MAP.sample(map_weights, _keys(0, 1), flow_map(2), Sampled.IMAGES)
    np.testing.assert_array_equal(images.nfe, 2)


def test_jumps_are_refused_where_there_is_no_map(weights, map_weights):
    jump, example_keys = flow_map(1), _keys(0, 1, 2)
    two = Weights(_TWO_CLOCKS.init(jax.random.key(0)))
    with pytest.raises(ValueError, match="train one with config.train.objective='flow_map'"):
        _TWO_CLOCKS.generate(two, example_keys, _LABELS, jump)
    with pytest.raises(ValueError, match="One step of 'euler' predicts semantics"):
        _MAP.predict_semantics(map_weights, example_keys, _POINTS, jump)
    for what in (Sampled.PAIRS, Sampled.SEMANTICS):
        with pytest.raises(ValueError, match="makes images, beside semantics that do not move"):
            _MAP.sample(map_weights, example_keys, jump, what)
    with pytest.raises(ValueError, match="train the map with config.train.map_guidance"):
        _MAP.generate(map_weights, example_keys, _LABELS, jump, Guidance(2.0))
    with pytest.raises(ValueError, match="A flow map needs a network with a clock for each"):
        dataclasses.replace(_FLOW, has_span=True)


def test_the_objective_of_the_map_is_finite_and_reads_as_the_flow_does(map_weights):
    """In float32 and in bfloat16, whose tangents are computed in float32."""
    half = dataclasses.replace(_MAP, network=dataclasses.replace(_MAP.network, dtype=jnp.bfloat16))
    assert half.for_tangents.network.dtype == jnp.float32

    @functools.partial(jax.jit, static_argnums=1)
    @jax.value_and_grad
    def total(weights, method):
        weights = method.in_compute_dtype(weights)
        return jnp.mean(
            method.losses(weights, _keys(*range(32)), points, labels, _HALVES, True).total
        )

    points = Points(jnp.tile(_POINTS.values, (11, 1))[:32])
    labels = jnp.arange(32) % 3
    values = []
    for method in (_MAP, half):
        value, gradient = total(map_weights, method)
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))
        assert np.any(gradient.network["span"]["kernel"])
        values.append(float(value))
    assert values[1] == pytest.approx(values[0], rel=0.05)
    plain = _MAP.of_velocities.losses(
        map_weights, _keys(0, 1), Points(_POINTS.values[:2]), _LABELS[:2], _HALVES
    )
    np.testing.assert_allclose(plain.total, 0.5 * plain.image + 0.5 * plain.semantics, rtol=1e-6)


_IMAGE_ALONE = JointState(jnp.ones(3, bool), jnp.zeros(3, bool))


def test_an_image_alone_has_the_loss_of_a_flow_of_images():
    weights = Weights(_TWO_CLOCKS.init(jax.random.key(0)))
    blind = dataclasses.replace(_TWO_CLOCKS, time_sampling=TimeSampling(0.0, noise_semantics=1.0))
    arguments = (weights, _keys(0, 1, 2), _POINTS, _LABELS, _HALVES)
    alone = _TWO_CLOCKS.losses(*arguments, has=_IMAGE_ALONE)
    jax.tree.map(np.testing.assert_array_equal, alone, blind.losses(*arguments))
    assert np.all(np.asarray(alone.image) > 0) and not np.any(alone.semantics)


def test_an_example_without_labels_does_not_move_the_output_of_the_semantics():
    params = _TWO_CLOCKS.init(jax.random.key(0))

    def loss(params, labels, has):
        losses = _TWO_CLOCKS.losses(
            Weights(params), _keys(0, 1, 2), _POINTS, labels, _HALVES, has=has
        )
        return jnp.sum(losses.total)

    def gradient(labels, has):
        """Of the last layer: that of the point's two numbers, and that of the semantics."""
        found = jax.grad(loss)(params, labels, has)["out_dense"]
        return found["kernel"][:, :2], found["kernel"][:, 2:]

    of_point, of_semantics = gradient(jnp.full(3, -1), _IMAGE_ALONE)
    assert np.any(of_point) and not np.any(of_semantics)
    everything = JointState(jnp.ones(3, bool), jnp.ones(3, bool))
    assert all(np.any(part) for part in gradient(_LABELS, everything))


def test_a_label_without_an_image_is_learned_beside_noise():
    weights = Weights(_TWO_CLOCKS.init(jax.random.key(0)))
    has = JointState(jnp.zeros(3, bool), jnp.ones(3, bool))
    losses = [
        _TWO_CLOCKS.losses(weights, _keys(0, 1, 2), Points(points), _LABELS, _HALVES, has=has)
        for points in (_POINTS.values, 100.0 * _POINTS.values)
    ]
    assert not np.any(losses[0].image) and np.all(np.asarray(losses[0].semantics) > 0)
    # The image that stands in for the missing one does not matter.
    np.testing.assert_array_equal(losses[0].semantics, losses[1].semantics)


_EXACT = LinearPath(sigma_min=0.0)
_ONE_HOT = OneHot(3)
_READER = SymmFlow(
    MLP(features=16, num_layers=2),
    PixelCodec(_ONE_HOT, (2,)),
    paths=component_paths(_EXACT, _EXACT),
    parameterizations=JointState(VelocityParameterization(), CategoricalParameterization(_ONE_HOT)),
    time_sampling=TimeSampling(0.0, 0.0, clean_image=1.0, prob_at_one=1.0),
    holds_clean=True,
)
_MAKER = dataclasses.replace(_READER, time_sampling=TimeSampling(0.0, clean_semantics=1.0))


def test_recognition_alone_is_a_classifier_of_image_and_noise():
    weights = Weights(_READER.init(jax.random.key(0)))
    example_keys = _keys(0, 1, 2)
    found = _READER.losses(weights, example_keys, _POINTS, _LABELS, JointState(0.0, 1.0))
    noise = keys.normal(keys.stream(example_keys, Stream.SEMANTICS_NOISE), (3,))
    _, logits = _READER.network.apply(
        {"params": weights.network}, _POINTS.values, noise, jnp.ones((3, 2))
    )
    shares = np.exp(np.asarray(logits, np.float64))
    shares /= shares.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.total, -np.log(shares[range(3), _LABELS]), rtol=1e-5)
    np.testing.assert_array_equal(found.image, np.zeros(3))


def test_the_task_that_is_not_learned_is_refused():
    weights = Weights(_READER.init(jax.random.key(0)))
    once, example_keys = FixedSteps(EULER, 1), _keys(0, 1, 2)
    assert _READER.predict_semantics(weights, example_keys, _POINTS, once).nfe.tolist() == [1] * 3
    assert _MAKER.generate(weights, example_keys, _LABELS, once).state.image.shape == (3, 2)
    for call, message in (
        (lambda: _READER.generate(weights, example_keys, _LABELS, once), "makes no images"),
        (lambda: _READER.sample(weights, example_keys, once, Sampled.PAIRS), "makes no images"),
        (
            lambda: _READER.predict_semantics(weights, example_keys, _POINTS, FixedSteps(EULER, 2)),
            "reads in one step of 'euler' alone",
        ),
        (
            lambda: _MAKER.predict_semantics(weights, example_keys, _POINTS, once),
            "'generation'.* reads no masks or labels; take .*'recognition'",
        ),
        (
            lambda: _MAKER.sample(weights, example_keys, once, Sampled.IMAGES),
            "Sampling from noise alone needs images .* beside semantics of pure noise",
        ),
        (
            lambda: _MAKER.generate(weights, example_keys, _LABELS, once, Guidance(2.0)),
            "Guidance needs images .* beside semantics of pure noise",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()
