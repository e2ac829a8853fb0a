"""Masks of images of any size: nothing depends on windows, batches or other images."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.batch import Pixels
from symmflow_jax.data.geometry import canvas
from symmflow_jax.data.geometry.canvas import View
from symmflow_jax.flow.solvers.fixed_steps import euler
from symmflow_jax.inference.canvas.reading import Reader
from symmflow_jax.inference.compiled import predictions

_ONCE = euler(1)
_TILES = View("tiles", canvas.tiled)
_SIZES = [(8, 12), (9, 31), (40, 17), (21, 25), (64, 64)]


@pytest.mark.parametrize("kind", ["reader", "voting_reader"])
def test_what_depends_on_single_pixels_is_read_alike_by_every_view(kind, request, painted, noise):
    reader: Reader = request.getfixturevalue(kind)
    picture, mask = painted(29, 40)
    views = [dataclasses.replace(_TILES, overlap=overlap) for overlap in (0.0, 0.5, 0.9)]
    views += [dataclasses.replace(_TILES, flips=True), View("whole", canvas.whole)]
    for view in views:
        (reading,) = reader.read([picture], noise, view, _ONCE)
        np.testing.assert_array_equal(reading.labels, mask, err_msg=str(view))
        assert reading.confidence.shape == reading.entropy.shape == mask.shape
        assert reading.confidence.min() > 0.5 and reading.confidence.max() <= 1.00001


def test_sizes_need_one_program_and_come_back_in_order(reader, painted, noise):
    pictures = [painted(*size, seed=i) for i, size in enumerate(_SIZES)]
    before = predictions.predict_semantics._cache_size()
    readings = list(reader.read((p for p, _ in pictures), noise, _TILES, _ONCE))
    assert predictions.predict_semantics._cache_size() - before <= 1
    assert [reading.labels.shape for reading in readings] == _SIZES
    for reading, (_, mask) in zip(readings, pictures, strict=True):
        np.testing.assert_array_equal(reading.labels, mask)
    # One pass for each window: 1; 1 or 2 down and 5 or 6 across; and so on.
    assert readings[0].nfe == 1 and readings[1].nfe == 2 * 5


def test_a_mask_does_not_depend_on_other_pictures(random_reader):
    rng = np.random.default_rng(0)
    pictures = [rng.integers(256, size=(*size, 3), dtype=np.uint8) for size in ((20, 9), (8, 30))]
    view = dataclasses.replace(_TILES, flips=True, scales=(1.0, 1.5))

    def read(order):
        origin = lambda number: (jax.random.key(0), order[number])  # noqa: E731
        return dict(
            zip(
                order,
                random_reader.read([pictures[i] for i in order], origin, view, _ONCE),
                strict=True,
            )
        )

    alone, forward, backward = read([1]), read([0, 1]), read([1, 0])
    for other in (forward, backward):
        np.testing.assert_array_equal(alone[1].labels, other[1].labels)
        np.testing.assert_allclose(alone[1].confidence, other[1].confidence, atol=1e-6)
    np.testing.assert_array_equal(forward[0].labels, backward[0].labels)


@pytest.fixture(params=["onehot", "palette"])
def random_reader(request, random_model):
    return random_model(**{"semantics.encoding": request.param}).reader


@pytest.mark.parametrize("view", [_TILES, View("crop", canvas.covered)], ids=str)
@pytest.mark.parametrize("draws", [1, 4])
def test_a_picture_of_the_models_size_is_read_as_before(random_reader, view, draws):
    pictures = np.random.default_rng(1).integers(256, size=(16, 8, 8, 3), dtype=np.uint8)
    key = jax.random.key(5)
    expected = predictions.predict_semantics(
        random_reader.method,
        random_reader.weights,
        key,
        jnp.arange(16),
        Pixels(pictures),
        _ONCE,
        draws,
    )
    readings = random_reader.read(list(pictures), lambda number: (key, number), view, _ONCE, draws)
    for index, reading in enumerate(readings):
        np.testing.assert_array_equal(reading.labels, expected.labels[index])
        np.testing.assert_array_equal(reading.confidence, expected.confidence[index])
        np.testing.assert_allclose(reading.entropy, expected.entropy[index], atol=1e-6)


def test_a_mirrored_window_is_mirrored_back_with_its_classes(reader, painted, noise):
    """Classes 0 and 1 are left and right: the mirror image of a left one shows a right one."""
    picture, mask = painted(8, 12)
    exchanging = dataclasses.replace(reader, mirrored=((0, 1),))
    view = dataclasses.replace(_TILES, flips=True)
    (reading,) = exchanging.read([picture], noise, view, _ONCE, with_probabilities=True)
    # This network sees colours, so that its two answers disagree about exactly these classes.
    either = mask < 2
    np.testing.assert_allclose(reading.probabilities[either][:, :2], 0.5, atol=0.02)
    np.testing.assert_array_equal(reading.labels[~either], mask[~either])
    assert reading.probabilities.shape == (8, 12, 4)
    np.testing.assert_allclose(reading.probabilities.sum(axis=-1), 1.0, atol=2e-3)


def test_pictures_may_be_of_pillow_or_floats(reader, painted, noise):
    picture, mask = painted(10, 14)
    signal = picture.astype(np.float32) / 127.5 - 1.0
    for form in (Image.fromarray(picture), signal, signal.astype(np.float64)):
        (reading,) = reader.read([form], noise, _TILES, _ONCE)
        np.testing.assert_array_equal(reading.labels, mask)
        assert reading.picture is form


def test_a_coarse_canvas_gives_masks_of_the_pictures_size(reader, noise):
    """Half of the picture is of one colour: the border lies where it should, to a pixel or two."""
    picture = np.zeros((80, 120, 3), np.uint8)
    picture[:, :60], picture[:, 60:] = (250, 0, 0), (0, 250, 0)
    for view in (
        View("stretch", canvas.stretched),
        View("letterbox", canvas.letterboxed),
        View("crop", canvas.covered),
        dataclasses.replace(_TILES, scale=0.25, scales=(0.5, 1.0, 2.0)),
    ):
        (reading,) = reader.read([picture], noise, view, _ONCE)
        assert reading.labels.shape == (80, 120)
        assert (reading.labels[:, :54] == 0).all() and (reading.labels[:, 66:] == 1).all()


def test_a_bound_of_the_confidence_marks_what_is_unsure(reader, painted, noise):
    (reading,) = reader.read([painted(8, 12)[0]], noise, _TILES, _ONCE)
    bound = float(np.median(reading.confidence))
    answers = reading.answers(bound)
    assert ((answers == predictions.UNSURE) == (reading.confidence < bound)).all()
    with pytest.raises(ValueError, match="min_confidence is 2"):
        reading.answers(2.0)


def test_batches_are_filled_across_pictures(reader, painted, noise, monkeypatch):
    sizes, read = [], predictions.predict_semantics
    monkeypatch.setattr(
        predictions,
        "predict_semantics",
        lambda *args, **options: sizes.append(len(args[4].values)) or read(*args, **options),
    )
    pictures = [painted(8, 12, seed=i)[0] for i in range(14)] + [painted(8, 24)[0]]
    readings = list(reader.read(pictures, noise, _TILES, _ONCE))
    # 14 windows and 3 more: one full batch, and one that is filled up.
    assert len(readings) == 15 and sizes == [16, 16]
