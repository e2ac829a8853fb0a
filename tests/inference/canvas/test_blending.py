"""Blended answers: weighted means in bands, votes, and bounded memory."""

import numpy as np
import pytest

from symmflow_jax.data.geometry import canvas
from symmflow_jax.inference.canvas import blending
from symmflow_jax.inference.canvas.blending import Blend


def _blend(shape, scales=(1.0,), **options) -> Blend:
    canvases = [canvas.tiled(shape, (8, 8), scale) for scale in scales]
    return Blend(canvases, 0.5, shape, 3, votes=False, **options)


def _add(blend: Blend, values) -> None:
    """Adds all windows from the top down."""
    places = sorted(
        (top / layer.canvas.size[0], number, index)
        for number, layer in enumerate(blend.layers)
        for index, (top, _) in enumerate(layer.corners)
    )
    for _, number, index in places:
        layer = blend.layers[number]
        top, left = layer.corners[index]
        layer.add_probabilities(index, values(layer.canvas.size)[top : top + 8, left : left + 8])
        blend.advance()


def test_equal_answers_stay_as_they_are():
    blend = _blend((30, 21))
    shares = np.random.default_rng(0).dirichlet(np.ones(3), size=(30, 21)).astype(np.float32)
    _add(blend, lambda size: shares)
    assert blend.is_complete
    np.testing.assert_array_equal(blend.answers.labels, shares.argmax(axis=-1))
    np.testing.assert_allclose(blend.answers.confidence, shares.max(axis=-1), rtol=1e-5)
    entropy = -(shares * np.log(shares)).sum(axis=-1)
    np.testing.assert_allclose(blend.answers.entropy, entropy, rtol=1e-4)


def test_scales_count_alike():
    """A canvas of half the size says the third class, the other ones the first, 3 to 1."""
    blend = _blend((32, 32), scales=(1.0, 0.5), keeps_probabilities=True)
    said = {32: np.float32([0.75, 0.25, 0]), 16: np.float32([0, 0, 1])}
    _add(blend, lambda size: np.broadcast_to(said[size[0]], (*size, 3)))
    np.testing.assert_allclose(
        blend.answers.probabilities, np.broadcast_to([0.375, 0.125, 0.5], (32, 32, 3)), atol=1e-3
    )
    assert (blend.answers.labels == 2).all()


def test_a_canvas_keeps_the_rows_of_a_few_windows(monkeypatch):
    monkeypatch.setattr(blending, "_BAND_BYTES", 4 * 16 * 3 * 2)
    blend, most = _blend((400, 16), scales=(1.0, 1.25)), [0, 0]
    size = {layer.canvas.size for layer in blend.layers}
    assert size == {(400, 16), (500, 20)}

    def values(size):
        most[:] = [max(a, len(b._values)) for a, b in zip(most, blend.layers, strict=True)]
        return np.full((*size, 3), 1 / 3, np.float32)

    _add(blend, values)
    assert blend.is_complete
    np.testing.assert_allclose(blend.answers.confidence, 1 / 3, rtol=1e-5)
    assert max(most) <= 2 * 8 + 8


def test_votes_are_counted_and_a_tie_goes_to_the_surer():
    one = canvas.tiled((8, 8), (8, 8), 1.0)
    blend = Blend([one], 0.5, (8, 8), 3, votes=True)
    votes = np.stack([np.full((8, 8), 2), np.full((8, 8), 1)])
    winner, sure = np.full((8, 8), 2), np.full((8, 8), 0.6, np.float32)
    blend.layers[0].add_votes(0, votes, winner, sure)
    blend.advance()
    assert (blend.answers.labels == 2).all()
    np.testing.assert_array_equal(blend.answers.confidence, sure)
    np.testing.assert_allclose(blend.answers.entropy, np.log(2), rtol=1e-6)
    assert blend.answers.probabilities is None


@pytest.mark.parametrize("votes", [False, True])
def test_a_picture_between_canvas_pixels_is_interpolated_unless_windows_vote(votes):
    """A step from class 0 to 1 on a canvas of half the picture's size."""
    wide = canvas.stretched((8, 16), (8, 8), 1.0)
    blend = Blend([wide], 0.5, (8, 16), 2, votes=votes)
    mask = np.repeat([[0, 1]], 4, axis=1).repeat(8, axis=0)
    if votes:
        blend.layers[0].add_votes(0, mask[None], mask, np.ones((8, 8), np.float32))
    else:
        blend.layers[0].add_probabilities(0, np.eye(2, dtype=np.float32)[mask])
    blend.advance()
    np.testing.assert_array_equal(blend.answers.labels, mask.repeat(2, axis=1))
    at_border = blend.answers.confidence[:, 7:9]
    np.testing.assert_allclose(at_border, 1.0 if votes else 0.75)
