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
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps, flow_map
from symmflow_jax.flow.solvers.runge_kutta import EULER
from symmflow_jax.flow.state import JointState
from symmflow_jax.flow.time_sampling import TimeSampling
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.methods.symmflow import Sampled, SymmFlow
from symmflow_jax.methods.weights import Weights
from symmflow_jax.networks.velocity.mlp import MLP
from symmflow_jax.semantics.class_plane import ClassPlane
from tests.methods.small_methods import FLOW, LABELS, MAP, POINTS, READER, TWO_CLOCKS, keys_of

_HALVES = JointState(0.5, 0.5)


@pytest.fixture(scope="module")
def weights():
    return Weights(FLOW.init(jax.random.key(0)))


@pytest.mark.parametrize("task", ["losses", "generate", "predict_semantics"])
def test_an_example_depends_on_its_key_and_not_on_its_batch(weights, task):
    solve = FixedSteps(EULER, 2)
    functions = {
        "losses": lambda k, x, y: FLOW.losses(weights, k, x, y, _HALVES).total,
        "generate": lambda k, x, y: FLOW.generate(weights, k, y, solve).state.image,
        "predict_semantics": lambda k, x, y: (
            FLOW.predict_semantics(weights, k, x, solve).state.semantics
        ),
    }
    function = jax.jit(functions[task])
    whole = function(keys_of(0, 1, 2), POINTS, LABELS)
    order = jnp.asarray([2, 0])
    part = function(keys_of(2, 0), Points(POINTS.values[order]), LABELS[order])
    np.testing.assert_allclose(part, whole[order], rtol=1e-5, atol=1e-6)


@functools.partial(jax.jit, static_argnums=0)
def _drawn(method, example_keys, pixels):
    labels = jnp.arange(len(pixels)) % 3
    return method.draw(Weights(None), example_keys, Pixels(pixels), labels)


@pytest.mark.parametrize("dequantizes", [True, False])
def test_images_that_are_learned_never_change_their_appearance(dequantizes):
    codec = PixelCodec(ClassPlane(3, (), 4.0), (4, 5, 3), dequantizes)
    plain = SymmFlow(FLOW.network, codec, time_sampling=TimeSampling(0.25, 0.25, 0.25, 0.25))
    jittered = dataclasses.replace(plain, appearance=Appearance(0.5, 0.5, 0.5, 0.2, 1.0))
    pixels = jnp.asarray(np.random.default_rng(0).integers(0, 256, (64, 4, 5, 3), np.uint8))
    before, after = (_drawn(method, keys_of(*range(64)), pixels) for method in (plain, jittered))
    learned = np.asarray(before.times.learned.image) == 1.0
    assert 30 < learned.sum() < 60
    changed = np.any(before.data.image != after.data.image, axis=(1, 2, 3))
    np.testing.assert_array_equal(changed, ~learned)
    same = before._replace(data=before.data.semantics), after._replace(data=after.data.semantics)
    jax.tree.map(np.testing.assert_array_equal, *same)
    assert jittered.of_velocities.appearance is None  # Scores are of images as they are.


def test_parts_of_the_loss_add_up(weights):
    losses = FLOW.losses(weights, keys_of(0, 1, 2), POINTS, LABELS, JointState(0.9, 0.1))
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
            keys_of(0, 1, 2, 3),
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
    weights = Weights(TWO_CLOCKS.init(keys.of_seed(0, keys.Stream.INIT)))
    for step in range(2):
        key = jax.random.fold_in(keys.of_seed(0, keys.Stream.TRAINING), step)
        example_keys = keys.example_keys(key, jnp.arange(3))
        TWO_CLOCKS.losses(weights, example_keys, POINTS, LABELS, _HALVES, dropout=True)
    key, index = keys.of_seed(0, keys.Stream.EVALUATION), jnp.arange(3)
    predictions.generate(TWO_CLOCKS, weights, key, index, LABELS, solve, guidance)
    predictions.predict_semantics(TWO_CLOCKS, weights, key, index, POINTS, solve, ensemble_size=3)
    predictions.sample(TWO_CLOCKS, weights, key, index, solve, Sampled.PAIRS)
    jax.effects_barrier()
    assert len(drawn) > 40


@pytest.fixture(scope="module")
def map_weights():
    """Weights of a map whose span is not without effect."""
    params = MAP.init(jax.random.key(0))
    return Weights({**params, "span": {"kernel": jnp.ones((1, 16))}})


def test_a_map_with_the_weights_of_two_clocks_has_their_velocity():
    params = TWO_CLOCKS.init(jax.random.key(5))
    mapped = Weights({**params, "span": MAP.init(jax.random.key(0))["span"]})
    state = JointState(POINTS.values, jnp.ones((3, 1)))
    times = JointState(jnp.float32(0.2), jnp.float32(0.9))
    expected = TWO_CLOCKS.velocity(Weights(params))(state, times)
    for span in ((), (jnp.float32(0.0),), (jnp.float32(0.5),)):  # Nothing is learned of spans yet.
        found = MAP.velocity(mapped)(state, times, *span)
        jax.tree.map(np.testing.assert_array_equal, found, expected)


def test_a_jump_is_the_average_velocity_over_all_of_the_span(map_weights):
    solution = MAP.generate(map_weights, keys_of(0, 1, 2), LABELS, flow_map(1))
    euler = MAP.generate(map_weights, keys_of(0, 1, 2), LABELS, FixedSteps(EULER, 1))
    np.testing.assert_array_equal(solution.nfe, 1)
    assert np.abs(solution.state.image - euler.state.image).min() > 1e-4
    noise = MAP._noise(keys_of(0, 1, 2)).image
    state = JointState(noise, solution.state.semantics)
    times = JointState(jnp.float32(0.0), jnp.float32(0.0))
    velocity = MAP.velocity(map_weights)(state, times, jnp.float32(1.0)).image
    np.testing.assert_allclose(solution.state.image, noise + velocity, rtol=1e-5, atol=1e-6)
    images = MAP.sample(map_weights, keys_of(0, 1), flow_map(2), Sampled.IMAGES)
    np.testing.assert_array_equal(images.nfe, 2)


def test_the_objective_of_the_map_is_finite_and_reads_as_the_flow_does(map_weights):
    """In float32 and in bfloat16, whose tangents are computed in float32."""
    half = dataclasses.replace(MAP, network=dataclasses.replace(MAP.network, dtype=jnp.bfloat16))
    assert half.for_tangents.network.dtype == jnp.float32

    @functools.partial(jax.jit, static_argnums=1)
    @jax.value_and_grad
    def total(weights, method):
        weights = method.in_compute_dtype(weights)
        return jnp.mean(
            method.losses(weights, keys_of(*range(32)), points, labels, _HALVES, True).total
        )

    points = Points(jnp.tile(POINTS.values, (11, 1))[:32])
    labels = jnp.arange(32) % 3
    values = []
    for method in (MAP, half):
        value, gradient = total(map_weights, method)
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))
        assert np.any(gradient.network["span"]["kernel"])
        values.append(float(value))
    assert values[1] == pytest.approx(values[0], rel=0.05)
    plain = MAP.of_velocities.losses(
        map_weights, keys_of(0, 1), Points(POINTS.values[:2]), LABELS[:2], _HALVES
    )
    np.testing.assert_allclose(plain.total, 0.5 * plain.image + 0.5 * plain.semantics, rtol=1e-6)


_IMAGE_ALONE = JointState(jnp.ones(3, bool), jnp.zeros(3, bool))


def test_an_image_alone_has_the_loss_of_a_flow_of_images():
    weights = Weights(TWO_CLOCKS.init(jax.random.key(0)))
    blind = dataclasses.replace(TWO_CLOCKS, time_sampling=TimeSampling(0.0, noise_semantics=1.0))
    arguments = (weights, keys_of(0, 1, 2), POINTS, LABELS, _HALVES)
    alone = TWO_CLOCKS.losses(*arguments, has=_IMAGE_ALONE)
    jax.tree.map(np.testing.assert_array_equal, alone, blind.losses(*arguments))
    assert np.all(np.asarray(alone.image) > 0) and not np.any(alone.semantics)


def test_an_example_without_labels_does_not_move_the_output_of_the_semantics():
    params = TWO_CLOCKS.init(jax.random.key(0))

    def loss(params, labels, has):
        losses = TWO_CLOCKS.losses(
            Weights(params), keys_of(0, 1, 2), POINTS, labels, _HALVES, has=has
        )
        return jnp.sum(losses.total)

    def gradient(labels, has):
        """Of the last layer: that of the point's two numbers, and that of the semantics."""
        found = jax.grad(loss)(params, labels, has)["out_dense"]
        return found["kernel"][:, :2], found["kernel"][:, 2:]

    of_point, of_semantics = gradient(jnp.full(3, -1), _IMAGE_ALONE)
    assert np.any(of_point) and not np.any(of_semantics)
    everything = JointState(jnp.ones(3, bool), jnp.ones(3, bool))
    assert all(np.any(part) for part in gradient(LABELS, everything))


def test_a_label_without_an_image_is_learned_beside_noise():
    weights = Weights(TWO_CLOCKS.init(jax.random.key(0)))
    has = JointState(jnp.zeros(3, bool), jnp.ones(3, bool))
    losses = [
        TWO_CLOCKS.losses(weights, keys_of(0, 1, 2), Points(points), LABELS, _HALVES, has=has)
        for points in (POINTS.values, 100.0 * POINTS.values)
    ]
    assert not np.any(losses[0].image) and np.all(np.asarray(losses[0].semantics) > 0)
    # The image that stands in for the missing one does not matter.
    np.testing.assert_array_equal(losses[0].semantics, losses[1].semantics)


def test_recognition_alone_is_a_classifier_of_image_and_noise():
    weights = Weights(READER.init(jax.random.key(0)))
    example_keys = keys_of(0, 1, 2)
    found = READER.losses(weights, example_keys, POINTS, LABELS, JointState(0.0, 1.0))
    noise = keys.normal(keys.stream(example_keys, Stream.SEMANTICS_NOISE), (3,))
    _, logits = READER.network.apply(
        {"params": weights.network}, POINTS.values, noise, jnp.ones((3, 2))
    )
    shares = np.exp(np.asarray(logits, np.float64))
    shares /= shares.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.total, -np.log(shares[range(3), LABELS]), rtol=1e-5)
    np.testing.assert_array_equal(found.image, np.zeros(3))
