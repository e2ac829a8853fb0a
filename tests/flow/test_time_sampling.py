import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow.state import JointState
from symmflow_jax.flow.time_sampling import TimeSampling

NUM = 4000
MIXED = TimeSampling(tied=0.1, independent=0.2, clean_image=0.3, clean_semantics=0.4)


def draw(sampling):
    return jax.jit(jax.vmap(sampling))(jax.random.split(jax.random.key(0), NUM))


def assert_uniform(times):
    assert np.all((np.asarray(times) >= 0) & (np.asarray(times) < 1))
    counts, _ = np.histogram(times, bins=8, range=(0, 1))
    expected = len(times) / 8
    np.testing.assert_allclose(counts, expected, atol=5 * expected**0.5)


def test_by_default_times_are_tied_and_uniform():
    drawn = draw(TimeSampling())
    np.testing.assert_array_equal(drawn.times.image, drawn.times.semantics)
    assert_uniform(drawn.times.image)
    np.testing.assert_array_equal(drawn.learned.image, np.ones(NUM))
    np.testing.assert_array_equal(drawn.learned.semantics, np.ones(NUM))


def test_free_times_are_independent():
    times = draw(TimeSampling(tied=0.0, independent=1.0)).times
    assert_uniform(times.image)
    assert_uniform(times.semantics)
    assert abs(np.corrcoef(times.image, times.semantics)[0, 1]) < 5 / NUM**0.5


def test_a_mixture_has_its_shares():
    times, learned, _ = draw(MIXED)
    tied = np.asarray(times.image == times.semantics)
    clean_image, clean_semantics = np.asarray(times.image == 1), np.asarray(times.semantics == 0)
    found = [tied.mean(), clean_image.mean(), clean_semantics.mean()]
    np.testing.assert_allclose(found, [0.1, 0.3, 0.4], atol=0.03)
    # What is held is not learned, and its partner's time is uniform.
    np.testing.assert_array_equal(learned.image, np.where(clean_image, 0.0, 1.0))
    np.testing.assert_array_equal(learned.semantics, np.where(clean_semantics, 0.0, 1.0))
    assert_uniform(np.asarray(times.semantics)[clean_image])
    assert_uniform(np.asarray(times.image)[clean_semantics])


def test_a_share_of_tied_times_is_one():
    times = draw(TimeSampling(prob_at_one=0.25)).times
    np.testing.assert_array_equal(times.image, times.semantics)
    at_one = np.asarray(times.image == 1)
    assert at_one.mean() == pytest.approx(0.25, abs=0.03)
    assert_uniform(np.asarray(times.image)[~at_one])


def test_free_images_are_learned_beside_semantics_of_pure_noise():
    times = draw(TimeSampling(tied=0.0, independent=1.0, prob_at_one=0.25)).times
    at_one = np.asarray(times.semantics == 1)
    assert at_one.mean() == pytest.approx(0.25, abs=0.03)
    assert_uniform(np.asarray(times.image)[at_one])


def test_images_alone_are_learned_beside_semantics_of_pure_noise():
    sampling = TimeSampling(tied=0.0, noise_semantics=1.0)
    assert sampling.is_unconditional and sampling.num_clocks == 2
    times, learned, _ = draw(sampling)
    assert_uniform(times.image)
    np.testing.assert_array_equal(times.semantics, np.ones(NUM))
    np.testing.assert_array_equal(learned.image, np.ones(NUM))
    np.testing.assert_array_equal(learned.semantics, np.zeros(NUM))
    assert not TimeSampling(tied=0.0, independent=0.5, noise_semantics=0.5).is_unconditional


def test_tied_times_need_one_clock_and_all_others_two():
    assert TimeSampling().num_clocks == 1
    assert TimeSampling(tied=0.0, independent=1.0).num_clocks == MIXED.num_clocks == 2


@pytest.mark.parametrize(
    "shares", [(0.5, 0.4, 0.0, 0.0), (1.5, -0.5, 0.0, 0.0), (float("nan"), 0.0, 0.0, 1.0)]
)
def test_shares_that_are_none_are_refused(shares):
    with pytest.raises(ValueError, match="must not be negative and must add up to 1"):
        TimeSampling(*shares)


def test_times_are_float32_scalars():
    times, learned, span = MIXED(jax.random.key(3))
    assert span is None
    for value in (*times, *learned):
        assert value.shape == () and value.dtype == jnp.float32


def test_jumps_are_a_share_of_the_images_beside_semantics_that_do_not_move():
    sampling = dataclasses.replace(MIXED, prob_at_one=0.5, map_share=0.6)
    plain = draw(dataclasses.replace(sampling, map_share=0.0))
    times, learned, span = draw(sampling)
    semantics, span = np.asarray(times.semantics), np.asarray(span)
    clean = np.asarray(learned.semantics) == 0
    tied_or_read = np.asarray(plain.times.image) == 1
    still = clean | ((semantics == 1) & ~tied_or_read)
    is_jump = span > 0
    assert is_jump[clean].mean() == pytest.approx(0.6, abs=0.04)
    assert is_jump[still & ~clean].any() and not is_jump[~still].any()
    # A quarter of them is all of generation; the others have two uniform ends.
    start, end = np.asarray(times.image)[is_jump], (np.asarray(times.image) + span)[is_jump]
    is_whole = span[is_jump] == 1
    assert is_whole.mean() == pytest.approx(0.25, abs=0.04)
    assert start[~is_whole].mean() == pytest.approx(1 / 3, abs=0.03)
    assert end[~is_whole].mean() == pytest.approx(2 / 3, abs=0.03)
    # What does not jump is what it was without a map; recognition's share stays.
    np.testing.assert_array_equal(semantics, plain.times.semantics)
    jax.tree.map(np.testing.assert_array_equal, learned, plain.learned)
    np.testing.assert_array_equal(
        np.asarray(times.image)[~is_jump], np.asarray(plain.times.image)[~is_jump]
    )


def test_what_an_example_lacks_is_noise_and_not_learned():
    has = JointState(jnp.arange(NUM) % 3 > 0, jnp.arange(NUM) % 2 > 0)
    keys = jax.random.split(jax.random.key(0), NUM)
    sampling = dataclasses.replace(MIXED, prob_at_one=0.25)
    times, learned, _ = jax.vmap(sampling)(keys, has)
    both, image_alone = has.image & has.semantics, has.image & ~has.semantics
    semantics_alone = ~has.image & has.semantics
    whole = jax.vmap(sampling)(keys)
    for drawn, expected in zip(
        jax.tree.leaves((times, learned)), jax.tree.leaves(whole[:2]), strict=True
    ):
        np.testing.assert_array_equal(drawn[both], expected[both])
    # An image alone is as in a flow of images alone.
    blind = jax.vmap(TimeSampling(tied=0.0, noise_semantics=1.0))(keys)
    for drawn, expected in zip(
        jax.tree.leaves((times, learned)), jax.tree.leaves(blind[:2]), strict=True
    ):
        np.testing.assert_array_equal(drawn[image_alone], expected[image_alone])
    assert np.all(times.image[semantics_alone] == 0) and np.all(learned.image[semantics_alone] == 0)
    assert np.all(learned.semantics[semantics_alone] == 1)
    assert np.mean(times.semantics[semantics_alone] == 1) == pytest.approx(0.25, abs=0.06)
    neither = ~has.image & ~has.semantics
    assert not np.any(learned.image[neither]) and not np.any(learned.semantics[neither])


def test_one_clock_cannot_leave_out_a_component():
    has = JointState(jnp.asarray(True), jnp.asarray(False))
    with pytest.raises(ValueError, match="needs a network with a clock for each component"):
        TimeSampling()(jax.random.key(0), has)
